import BenchmarkSupport
import Common

extension Scenario {
    private static let keyCount = 100_000

    /// Prices by article, the newest counts.
    static var upsert: Scenario {
        let stream = StreamDefinition(
            name: "prices", topics: [], mode: .upsert, key: ["sku"],
            columns: [
                Column("sku", .text, required: true), Column("name", .text), Column("price", .double, required: true),
                Column("changed", .timestamp),
            ])
        return keyed(stream, "Upserts of 100,000 keys") { index, key in
            """
            {"sku":"sku-\(100_000 + key)","name":"Article \(key)","price":\(Double(index % 9973) / 100),\
            "changed":"2026-11-23T18:26:01.\(100 + index % 900)Z"}
            """
        }
    }

    /// Movements of stocks, which add up.
    static var increment: Scenario {
        keyed(BuiltInStreams.all()[1], "Increments of 100,000 keys") { index, key in
            "{\"sku\":\"sku-\(100_000 + key)\",\"name\":\"Article \(key)\",\"quantity\":\(index % 17)}"
        }
    }

    private static func keyed(
        _ stream: StreamDefinition, _ title: String, _ text: @escaping (Int, Int) -> String
    ) -> Scenario {
        func memory(_ connections: Int) -> String { "from memory, \(connections)" }
        var fleet = Fleet()
        fleet.stream = stream
        return Scenario(
            name: stream.mode.rawValue, title: "\(title), 4 shards, beside the same transactions from memory",
            load: {
                var load = Load.readings()
                let partitions = load.partitions
                load.record = { index in
                    // As a key's hash would spread them.
                    let key = Int(UInt32(truncatingIfNeeded: index) &* 2_654_435_761) % keyCount
                    return (key % partitions, Array(text(index, key).utf8))
                }
                return load
            },
            contestants: {
                [Contestant(name: "Millrace", run: fleet.run)]
                    + [1, 2, 4].map { count in
                        Contestant(name: memory(count), run: MergeFromMemory(stream: stream, connections: count).run)
                    }
            },
            ratios: [
                Ratio(name: "Millrace / from memory", atLeast: 0.6) { values in
                    values["Millrace"]!.value / [1, 2, 4].map { values[memory($0)]!.value }.max()!
                }
            ])
    }
}
