package import Common
internal import Foundation

/// What the benchmarks share.
package enum Benchmark {
    /// A number from the environment.
    package static func setting(_ name: String, _ fallback: Int) -> Int {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? fallback
    }

    package static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    package static func identifier(_ index: Int) -> UUIDValue {
        UUIDValue(high: 0x1234_5678_0000_4000, low: 0x8000_0000_0000_0000 | UInt64(index % 500))
    }

    package static let labels = ["light", "moderate", "heavy"]

    /// About 215 bytes, as JavaScript writes times.
    package static func reading(_ index: Int) -> [UInt8] {
        let text = """
            {"timestamp":"2026-11-23T18:26:01.\(100 + index % 900)Z","stream_id":"\(identifier(index))",\
            "location":"Ring road, kilometre \(index % 97)","longitude":\(13.0 + Double(index % 1000) / 1000),\
            "latitude":\(52.0 + Double(index % 777) / 1000),"numbers_of_cars":\(index % 120),\
            "label":"\(labels[index % 3])","type":"camera"}
            """
        return Array(text.utf8)
    }
}
