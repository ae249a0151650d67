import Common
import Foundation
import Kafka
import TestSupport
import Testing

/// What is wrong with one topic concerns its own sources only.
@Suite("One topic does not stop others", .serialized, .timeLimit(.minutes(10)))
struct IsolationTests {
    private static let events = StreamDefinition(
        name: "events", topics: [], mode: .append, columns: [Column("n", .bigint, required: true)])

    private func values(_ range: Range<Int>) -> [String] { range.map { #"{"n":\#($0)}"# } }

    @Test("While one topic is missing the others are served, paused, resumed and grow; when it comes it is served too")
    func missingTopic() throws {
        let fleet = try Fleet(Self.events, partitions: 1)
        let missing = "test-\(UUID().uuidString.lowercased())"
        fleet.stream.topics.append(missing)
        try fleet.kafka.produce(values(0..<10), to: fleet.topic)
        try fleet.launch(shards: 2)
        try fleet.waitForRecords(10)
        let report = try fleet.waitForStatus("it is told") { report in
            report.problems.contains { $0.contains("'\(missing)' of stream 'events' does not exist") }
        }
        #expect(report.sources.count == 1)
        try fleet.done("pause", "events")
        // Answered after the effect: nobody reads what comes now.
        #expect(try fleet.status()?.sources.map(\.state) == ["paused"])
        #expect(try fleet.status()?.shards.allSatisfy { $0.sources.isEmpty } == true)
        try fleet.kafka.produce(values(10..<20), to: fleet.topic)
        try fleet.waitForStatus("what waits counts as lag") { $0.streams.first?.lag == 10 }
        try fleet.done("resume", "events")
        try fleet.waitForRecords(20)
        try fleet.kafka.alter(fleet.topic, partitions: 2)
        try fleet.kafka.produce(values(20..<30), to: fleet.topic, partition: 1)
        try fleet.waitForRecords(30)
        _ = try fleet.kafka.makeTopic(missing, partitions: 1)
        try fleet.kafka.produce(values(30..<40), to: missing)
        try fleet.waitForRecords(40)
        try fleet.waitForStatus("healthy") { $0.healthy && $0.sources.count == 3 }
        try fleet.stop()
    }

    @Test("Without Kafka a pause takes effect and is answered")
    func pauseInOutage() throws {
        let kafka = try TestKafka()
        let fleet = try Fleet(Self.events, partitions: 1, kafka: kafka)
        try fleet.launch(shards: 1)
        try fleet.waitForStatus("a source with a shard") { $0.sources.first?.shard != nil }
        try kafka.crash()
        try fleet.done("pause", "events")
        #expect(try fleet.status()?.sources.map(\.state) == ["paused"])
        try kafka.revive()
        try fleet.done("resume", "events")
        try kafka.produce(values(0..<10), to: fleet.topic)
        try fleet.waitForRecords(10)
        try fleet.stop()
    }

    @Test(
        "A topic that is seen to be missing before it is made again is read again",
        .enabled(if: Admin.tellsTopicIDs, "needs librdkafka 2.3 for topic ids"))
    func madeAgainLater() throws {
        let fleet = try Fleet(Self.events, partitions: 4)
        try fleet.launch(shards: 2)
        for partition in Int32(0)..<4 {
            try fleet.kafka.produce(values(0..<5), to: fleet.topic, partition: partition)
        }
        try fleet.waitForRecords(20)
        try fleet.kafka.remove(fleet.topic)
        try fleet.waitForStatus("it is missed, and nobody has it") { report in
            report.problems.contains { $0.contains("does not exist") }
                && report.sources.allSatisfy { $0.shard == nil }
        }
        try fleet.kafka.remake(fleet.topic, partitions: 4)
        for partition in Int32(0)..<4 {
            try fleet.kafka.produce(values(5..<10), to: fleet.topic, partition: partition)
        }
        try fleet.wait("rows of both lives; \(String(describing: try? fleet.status()))") {
            try fleet.rows("SELECT count(*), count(DISTINCT n) FROM events") == ["40|10"]
        }
        try fleet.waitForStatus("healthy") { $0.healthy }
        try fleet.stop()
    }

    @Test(
        "A topic that is made again twenty times ends no coordinator, and each life's records are stored once",
        .enabled(if: Admin.tellsTopicIDs, "needs librdkafka 2.3 for topic ids"))
    func madeAgainTwentyTimes() throws {
        let fleet = try Fleet(Self.events, partitions: 8)
        try fleet.launch(shards: 3)
        let pid = fleet.pid
        try fleet.waitForStatus("sources with shards") {
            $0.sources.count == 8 && $0.sources.allSatisfy { $0.shard != nil }
        }
        for life in 0..<20 {
            if life > 0 { try fleet.kafka.remake(fleet.topic, partitions: 8) }
            for partition in 0..<8 {
                let first = life * 16 + partition * 2
                try fleet.kafka.produce(values(first..<first + 2), to: fleet.topic, partition: Int32(partition))
            }
            func missing() throws -> [String] {
                try fleet.rows(
                    """
                    SELECT g / 2 % 8, count(*) FROM generate_series(\(life * 16), \(life * 16 + 15)) g
                    WHERE g NOT IN (SELECT n FROM events) GROUP BY 1 ORDER BY 1
                    """)
            }
            try fleet.wait(
                "life \(life); missing \((try? missing()) ?? []); \(String(describing: try? fleet.status()))"
            ) {
                try fleet.requireRunning()
                return try missing() == []
            }
        }
        try fleet.waitForStatus("healthy") { $0.healthy && $0.pid == pid }
        #expect(try fleet.rows("SELECT count(*), count(DISTINCT n) FROM events") == ["320|320"])
        #expect(try fleet.verify(deep: true).flatMap(\.breaks) == [])
        try fleet.stop()
    }

    @Test("Records behind a transaction that nobody ends are told, and stored when it has ended")
    func openTransaction() throws {
        let fleet = try Fleet(Self.events, partitions: 1)
        try fleet.kafka.produce(values(0..<10), to: fleet.topic)
        try fleet.launch(shards: 1)
        try fleet.waitForRecords(10)
        let producer = try TransactionalProducer(fleet.kafka)
        try producer.begin()
        try producer.produce([(nil, values(10..<11)[0])], to: fleet.topic)
        try fleet.kafka.produce(values(11..<20), to: fleet.topic)
        let report = try fleet.waitForStatus("what waits") { !$0.healthy && $0.sources[0].heldBack != nil }
        #expect(report.sources[0].heldBack?.offsets == 10)
        #expect(
            report.problems.contains { $0.contains("10 offsets wait behind an open transaction") }, "\(report.problems)"
        )
        try producer.commit()
        try fleet.waitForStatus("healthy") { $0.healthy && $0.sources[0].heldBack == nil }
        try fleet.wait("all rows") { try fleet.rows("SELECT count(*) FROM events") == ["20"] }
        try fleet.stop()
    }

    @Test("Kafka's own tool shows how far a fleet is, in the group of its schema")
    func groupOffsets() throws {
        let kafka = try TestKafka()
        let fleet = try Fleet(Self.events, partitions: 2, kafka: kafka)
        for partition in Int32(0)..<2 { try kafka.produce(values(0..<10), to: fleet.topic, partition: partition) }
        try fleet.launch(shards: 2)
        try fleet.waitForRecords(20)
        try fleet.wait("the group's positions: \((try? kafka.group("millrace-millrace")) ?? [])") {
            try kafka.group("millrace-millrace") == (0..<2).map { "\(fleet.topic) \($0) 10 10 0" }
        }
        try fleet.stop()
    }
}
