import BenchmarkSupport
import Common
import TestSupport

extension Scenario {
    /// What a place of a curve needs, made at its first run.
    private final class Kept<Value> {
        private var values: [Int: Value] = [:]

        func value(_ place: Int, _ make: () throws -> Value) rethrows -> Value {
            if let value = values[place] { return value }
            let value = try make()
            values[place] = value
            return value
        }
    }

    /// One curve: what changes along its axis.
    private static func curve(
        _ name: String, _ title: String, _ axis: String, load: @escaping () -> Load = Load.readings, _ places: [Int],
        _ run: @escaping (Int, Arena) throws -> Measured
    ) -> Scenario {
        Scenario(
            name: name, title: title, axis: axis, load: load,
            contestants: {
                places.map { place in
                    Contestant(name: "\(place)", x: Double(place)) { arena in try run(place, arena) }
                }
            })
    }

    static var shards: Scenario {
        curve("shards", "Kafka to Postgres by shards, 8 partitions", "shards", [1, 2, 3, 4, 6, 8]) { count, arena in
            var fleet = Fleet.append()
            fleet.shards = Int32(count)
            return try fleet.run(arena)
        }
    }

    static var partitions: Scenario {
        let kept = Kept<Arena>()
        return curve(
            "partitions", "Kafka to Postgres by partitions, 4 shards", "partitions", [1, 4, 16, 64, 256, 800]
        ) { count, arena in
            var load = arena.load
            load.partitions = count
            load.record = { ($0 % count, Benchmark.reading($0)) }
            return try Fleet.append().run(try kept.value(count) { try Arena(load) })
        }
    }

    /// As many records in all.
    static var streams: Scenario {
        let kept = Kept<[Arena]>()
        return curve(
            "streams", "Kafka to Postgres by streams, 8 partitions each, 4 shards", "streams", [1, 5, 20, 50]
        ) { count, arena in
            var load = arena.load
            load.records /= count
            let arenas = try kept.value(count) { try (0..<count).map { _ in try Arena(load) } }
            var fleet = Fleet.append()
            fleet.otherTopics = arenas.dropFirst().map(\.topic)
            return try fleet.run(arenas[0])
        }
    }

    /// Records of one text column that does not compress, so that size is all that changes.
    static var sizes: Scenario {
        let kept = Kept<Arena>()
        let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
        return curve(
            "sizes", "Kafka to Postgres by the size of records, 4 shards", "bytes", [100, 300, 1000, 10_000, 100_000]
        ) {
            size, arena in
            var load = arena.load
            let partitions = load.partitions
            load.records = min(load.records, 300_000_000 / size)
            var random = SeededGenerator(seed: UInt64(size))
            let text = String((0..<(size - 20)).map { _ in letters.randomElement(using: &random)! })
            load.proof = ("count(*) || ' ' || sum(length(text))", { "\($0.records) \($0.records * (size - 20))" })
            load.record = { ($0 % partitions, Array("{\"text\":\"\(text)\"}".utf8)) }
            var fleet = Fleet()
            fleet.stream = StreamDefinition(
                name: "texts", topics: [], mode: .append, key: [], columns: [Column("text", .text, required: true)])
            return try fleet.run(try kept.value(size) { try Arena(load) })
        }
    }

    /// With as many rows there already, in the order in which they would have come.
    static var rows: Scenario {
        curve("rows", "Kafka to Postgres by the rows that are there, 4 shards", "million rows", [0, 1, 5, 20]) {
            millions, arena in
            var fleet = Fleet.append()
            fleet.rowsBefore = millions * 1_000_000
            return try fleet.run(arena)
        }
    }

    /// Six shards between them, on one machine: what a group costs, not what its hosts give.
    static var hosts: Scenario {
        Scenario(
            name: "hosts", title: "Kafka to Postgres by hosts of a group on one machine, 6 shards between them",
            axis: "hosts",
            load: {
                var load = Load.readings()
                let partitions = 12
                load.partitions = partitions
                load.record = { ($0 % partitions, Benchmark.reading($0)) }
                return load
            },
            contestants: {
                [1, 2, 3].map { count in
                    Contestant(
                        name: "\(count)", x: Double(count), run: Hosts(count: count, shards: Int32(6 / count)).run)
                }
            },
            ratios: [2, 3].map { count in
                Ratio(name: "\(count) hosts / 1 host") { $0["\(count)"]!.value / $0["1"]!.value }
            })
    }
}
