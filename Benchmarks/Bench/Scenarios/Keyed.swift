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
        func cents(_ index: Int) -> Int { index % 9973 }
        return keyed(
            stream, "Upserts of 100,000 keys",
            proof: (
                "count(*) || ' ' || sum(round(price * 100))",
                { load in
                    var newest: [Int: Int] = [:]
                    for index in 0..<load.records { newest[key(index)] = cents(index) }
                    return "\(newest.count) \(newest.values.reduce(0, +))"
                }
            )
        ) { index, key in
            """
            {"sku":"sku-\(100_000 + key)","name":"Article \(key)","price":\(Double(cents(index)) / 100),\
            "changed":"2026-11-23T18:26:01.\(100 + index % 900)Z"}
            """
        }
    }

    /// Movements of stocks, which add up.
    static var increment: Scenario {
        func quantity(_ index: Int) -> Int { index % 17 }
        return keyed(
            BuiltInStreams.all()[1], "Increments of 100,000 keys",
            proof: (
                "count(*) || ' ' || sum(quantity)",
                { load in
                    let keys = Set((0..<load.records).map(key))
                    return "\(keys.count) \((0..<load.records).reduce(0) { $0 + quantity($1) })"
                }
            )
        ) { index, key in
            "{\"sku\":\"sku-\(100_000 + key)\",\"name\":\"Article \(key)\",\"quantity\":\(quantity(index))}"
        }
    }

    /// As a key's hash would spread them.
    private static func key(_ index: Int) -> Int {
        Int(UInt32(truncatingIfNeeded: index) &* 2_654_435_761) % keyCount
    }

    private static func keyed(
        _ stream: StreamDefinition, _ title: String, proof: (sql: String, value: (Load) -> String),
        _ text: @escaping (Int, Int) -> String
    ) -> Scenario {
        func memory(_ connections: Int) -> String { "from memory, \(connections)" }
        var fleet = Fleet()
        fleet.stream = stream
        return Scenario(
            name: stream.mode.rawValue, title: "\(title), 4 shards, beside the same transactions from memory",
            load: {
                var load = Load.readings()
                let partitions = load.partitions
                load.record = { (key($0) % partitions, Array(text($0, key($0)).utf8)) }
                load.proof = proof
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
