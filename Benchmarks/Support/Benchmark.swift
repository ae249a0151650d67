package import Common
internal import Foundation
internal import Kafka
package import TestSupport

/// What the benchmarks share.
package enum Benchmark {
    /// A number from the environment.
    package static func setting(_ name: String, _ fallback: Int) -> Int {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? fallback
    }

    package static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    /// User and system seconds of the processes whose command line holds a text; those that ended are not counted.
    package static func processorSeconds(_ needle: String) -> Double {
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.filter { Int($0) != nil }.reduce(0) { sum, pid in
            guard let line = try? Data(contentsOf: URL(filePath: "/proc/\(pid)/cmdline")),
                String(decoding: line, as: UTF8.self).contains(needle),
                let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
            else { return sum }
            let fields = stat[stat.lastIndex(of: ")")!...].split(separator: " ")
            return sum + (Double(fields[12])! + Double(fields[13])!) / ticks
        }
    }

    package static func identifier(_ index: Int) -> UUIDValue {
        UUIDValue(high: 0x1234_5678_0000_4000, low: 0x8000_0000_0000_0000 | UInt64(index % 500))
    }

    package static let labels = ["light", "moderate", "heavy"]

    /// About 215 bytes.
    package static func reading(_ index: Int) -> [UInt8] {
        let text = """
            {"timestamp":"2026-11-23T18:26:01.\(100_000 + index % 900_000)Z","stream_id":"\(identifier(index))",\
            "location":"Ring road, kilometre \(index % 97)","longitude":\(13.0 + Double(index % 1000) / 1000),\
            "latitude":\(52.0 + Double(index % 777) / 1000),"numbers_of_cars":\(index % 120),\
            "label":"\(labels[index % 3])","type":"camera"}
            """
        return Array(text.utf8)
    }

    /// Readings, spread over the partitions of a topic, acknowledged.
    package static func produce(_ records: Int, to topic: String, partitions: Int, _ kafka: TestKafka) throws {
        let producer = try Producer(kafka.configuration)
        for index in 0..<records {
            let value = reading(index)
            while !(try producer.produce(topic: topic, partition: Int32(index % partitions), key: nil, value: value)) {
                producer.poll(.milliseconds(5))
            }
            if index % 1000 == 0 { producer.poll() }
        }
        try producer.flush(.seconds(120))
    }
}
