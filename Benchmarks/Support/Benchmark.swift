package import Common
internal import Foundation

/// What the benchmarks share.
package enum Benchmark {
    /// A number from the environment.
    package static func setting(_ name: String, _ fallback: Int) -> Int {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? fallback
    }

    /// Of at least one value.
    package static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }

    package static func identifier(_ index: Int) -> UUIDValue {
        UUIDValue(high: 0x1234_5678_0000_4000, low: 0x8000_0000_0000_0000 | UInt64(index % 500))
    }

    package static let labels = ["light", "moderate", "heavy"]

    package static func cars(_ index: Int) -> Int { index % 120 }

    /// About 215 bytes, a millisecond after the one before, as JavaScript writes times.
    package static func reading(_ index: Int) -> [UInt8] {
        let seconds = index / 1000 % 86400
        func digits(_ number: Int) -> String { String(String(100 + number).dropFirst()) }
        let time = "\(digits(seconds / 3600)):\(digits(seconds / 60 % 60)):\(digits(seconds % 60))"
        let text = """
            {"timestamp":"2026-11-23T\(time).\(String(String(1000 + index % 1000).dropFirst()))Z","stream_id":"\(identifier(index))",\
            "location":"Ring road, kilometre \(index % 97)","longitude":\(13.0 + Double(index % 1000) / 1000),\
            "latitude":\(52.0 + Double(index % 777) / 1000),"numbers_of_cars":\(cars(index)),\
            "label":"\(labels[index % 3])","type":"camera"}
            """
        return Array(text.utf8)
    }
}
