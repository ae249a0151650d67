import Common
import Foundation
import TestSupport
import Testing

@Suite("Offsets without a record", .serialized, .timeLimit(.minutes(5)))
struct HoleTests {
    private static let events = StreamDefinition(
        name: "events", topics: [], mode: .append, columns: [Column("n", .bigint, required: true)])
    private static let newest = StreamDefinition(
        name: "events", topics: [], mode: .upsert, key: ["k"],
        columns: [Column("k", .text, required: true), Column("n", .bigint)])

    private func value(_ number: Int) -> String { #"{"n":\#(number)}"# }

    private func records(_ range: Range<Int>) -> [(key: String?, value: String?)] { range.map { (nil, value($0)) } }

    /// The rows are what a read_committed consumer finds in Kafka, each at its offset, and those are `numbers`.
    private func expectRows(_ numbers: [Int], _ fleet: WorkerFleet, partition: Int32 = 0) throws {
        let kept = try fleet.kafka.read(fleet.topic, partition: partition)
        #expect(kept.map(\.value) == numbers.map(value))
        let stored = try fleet.rows(
            "SELECT source_offset, n FROM events WHERE source_id = \(partition + 1) ORDER BY source_offset")
        #expect(stored == zip(kept, numbers).map { "\($0.offset)|\($1)" })
    }

    @Test("Only committed records become rows, and aborted ones and markers are stepped over, also at the end")
    func transactions() throws {
        let fleet = try WorkerFleet(Self.events)
        try fleet.start(0)
        try fleet.assign(0)
        let (first, second) = (try TransactionalProducer(fleet.kafka), try TransactionalProducer(fleet.kafka))
        var end: Int64 = 0
        var number = 0
        var committed: [Int] = []
        func next(_ count: Int, _ isCommitted: Bool) -> Range<Int> {
            defer { number += count }
            end += Int64(count)
            if isCommitted { committed += number..<(number + count) }
            return number..<(number + count)
        }
        for turn in 0..<12 {
            let isFirstCommitted = turn % 3 != 0
            let isSecondCommitted = turn % 2 == 0
            try first.begin()
            try second.begin()
            try first.produce(records(next(7, isFirstCommitted)), to: fleet.topic)
            try fleet.kafka.produce(next(3, true).map(value), to: fleet.topic)
            try second.produce(records(next(5, isSecondCommitted)), to: fleet.topic)
            try first.produce(records(next(2, isFirstCommitted)), to: fleet.topic)
            if isFirstCommitted { try first.commit() } else { try first.abort() }
            if isSecondCommitted { try second.commit() } else { try second.abort() }
            end += 2
        }
        try fleet.waitForOffsets([end])
        try expectRows(committed, fleet)
        try fleet.expectExact(records: committed.count, rows: committed.count)

        // Nothing but an aborted transaction behind the last record.
        try first.begin()
        try first.produce(records(0..<4), to: fleet.topic)
        try first.abort()
        end += 5
        try fleet.waitForOffsets([end])
        try expectRows(committed, fleet)
        try fleet.expectExact(records: committed.count, rows: committed.count)
    }

    @Test("Holes are stepped over by a worker that starts at them, and by one that starts behind them")
    func startsAtHoles() throws {
        let fleet = try WorkerFleet(Self.events, partitions: 2)
        let producer = try TransactionalProducer(fleet.kafka)
        try producer.begin()
        for partition in Int32(0)..<2 { try producer.produce(records(0..<10), to: fleet.topic, partition: partition) }
        try producer.abort()
        try fleet.kafka.produce([value(10)], to: fleet.topic, partition: 1)
        try fleet.start(0)
        try fleet.assign(0)
        try fleet.waitForOffsets([11, 12])
        try fleet.expectExact(records: 1, rows: 1)
        try fleet.start(1)
        try fleet.assign(1)
        for partition in Int32(0)..<2 { try fleet.kafka.produce([value(11)], to: fleet.topic, partition: partition) }
        try fleet.waitForOffsets([12, 13])
        try expectRows([11], fleet)
        try expectRows([10, 11], fleet, partition: 1)
        try fleet.expectExact(records: 3, rows: 3)
    }

    @Test("An open transaction holds its partition at the last stable offset until it ends", arguments: [true, false])
    func openTransaction(isCommitted: Bool) throws {
        let fleet = try WorkerFleet(Self.events, partitions: 2)
        try fleet.start(0)
        try fleet.assign(0)
        let producer = try TransactionalProducer(fleet.kafka)
        try fleet.kafka.produce((0..<10).map(value), to: fleet.topic)
        try producer.begin()
        try producer.produce(records(10..<15), to: fleet.topic)
        try fleet.kafka.produce((15..<20).map(value), to: fleet.topic)
        // What comes later in the other partition passes.
        for turn in Int64(1)...5 {
            try fleet.kafka.produce([value(0)], to: fleet.topic, partition: 1)
            try fleet.waitForOffsets([10, turn])
        }
        try fleet.expectExact(records: 15, rows: 15)
        // There is nothing more for the worker: it is not behind, whatever lies after the transaction's first record.
        try fleet.wait("a heartbeat without lag") { messages in
            guard case (_, .heartbeat(let progress))? = messages.last else { return false }
            return progress.sources.map(\.endOffset) == [10, 5] && progress.sources.map(\.nextOffset) == [10, 5]
        }
        if isCommitted { try producer.commit() } else { try producer.abort() }
        try fleet.waitForOffsets([21, 5])
        try expectRows(Array(0..<10) + (isCommitted ? Array(10..<20) : Array(15..<20)), fleet)
    }

    @Test("A compacted topic read from its start gives the newest record of each key, and tombstones delete")
    func compacted() throws {
        let fleet = try WorkerFleet(
            Self.newest,
            topicConfiguration: [
                "cleanup.policy": "compact", "segment.ms": "50", "min.cleanable.dirty.ratio": "0.01",
                "min.compaction.lag.ms": "0", "max.compaction.lag.ms": "50",
            ])
        try fleet.kafka.configure(["log.cleaner.backoff.ms": "100"])
        func produce(_ number: Int, _ key: Int) throws {
            try fleet.kafka.produce([#"{"k":"key \#(key)","n":\#(number)}"#], key: "key \(key)", to: fleet.topic)
        }
        var produced = 0
        for key in 0..<10 {
            try fleet.kafka.produce(
                (0..<100).map { #"{"k":"key \#(key)","n":\#($0)}"# }, key: "key \(key)", to: fleet.topic)
            produced += 100
        }
        for key in 0..<3 {
            try fleet.kafka.produce([nil], key: Array("key \(key)".utf8), to: fleet.topic)
            produced += 1
        }
        // The segment that is written to is never compacted: it is closed by what comes when it is old enough.
        var kept: [KeptRecord] = []
        try fleet.wait("compaction; \(kept.count) of \(produced) are left") { _ in
            try produce(produced, 9)
            produced += 1
            kept = try fleet.kafka.read(fleet.topic, to: Int64(produced))
            return kept.count < 100
        }
        try fleet.kafka.configure(topic: fleet.topic, ["cleanup.policy": "delete"])
        try fleet.wait("the end of compaction") { _ in
            let before = kept
            kept = try fleet.kafka.read(fleet.topic, to: Int64(produced))
            return kept == before
        }
        #expect(kept.count >= 10 && kept[0].offset > 0)

        try fleet.start(0)
        try fleet.assign(0)
        try fleet.waitForOffsets([Int64(produced)])
        try fleet.expectExact(records: kept.count, rows: kept.count)
        func stored() throws -> [String] { try fleet.rows("SELECT k, n, deleted FROM events ORDER BY k") }
        var expected = (0..<10).map {
            "key \($0)|\($0 < 3 ? "-" : $0 < 9 ? "99" : "\(produced - 1)")|\($0 < 3 ? "t" : "f")"
        }
        #expect(try stored() == expected)

        try fleet.kafka.produce([nil], key: Array("key 5".utf8), to: fleet.topic)
        try produce(7, 0)
        try fleet.waitForOffsets([Int64(produced) + 2])
        expected[5] = "key 5|-|t"
        expected[0] = "key 0|7|f"
        #expect(try stored() == expected)
    }
}
