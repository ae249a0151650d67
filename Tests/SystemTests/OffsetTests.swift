import Common
import Foundation
import Kafka
import TestSupport
import Testing

@Suite("Where a source begins", .serialized, .timeLimit(.minutes(5)))
struct OffsetTests {
    private static let events = StreamDefinition(
        name: "events", topics: [], mode: .append, columns: [Column("n", .bigint, required: true)])

    private func values(_ range: Range<Int>) -> [String] { range.map { #"{"n":\#($0)}"# } }

    /// `partition|incarnation|start_offset|next_offset|retired|rows|lowest n|highest n`, in the order of their ids.
    private func sources(_ fleet: Fleet) throws -> [String] {
        try fleet.rows(
            """
            SELECT s.partition, s.incarnation, s.start_offset, s.next_offset, s.retired_at IS NOT NULL,
                count(e.n), min(e.n), max(e.n)
            FROM millrace.source s LEFT JOIN events e ON e.source_id = s.id GROUP BY s.id ORDER BY s.partition, s.id
            """)
    }

    private func waitForSources(_ fleet: Fleet, _ expected: [String]) throws {
        try fleet.wait("\(expected); there are \((try? sources(fleet)) ?? [])") { try sources(fleet) == expected }
    }

    /// Every source is proven, the retired ones but for the comparison with a Kafka that no longer has them.
    private func expectProven(_ fleet: Fleet, retired: Int) throws {
        let findings = try fleet.verify(deep: true)
        #expect(findings.flatMap(\.breaks) == [])
        let notComparable = findings.filter { !$0.notComparable.isEmpty }
        #expect(notComparable.count == retired)
        for finding in notComparable {
            #expect(finding.notComparable.allSatisfy { $0.contains("the source is retired") }, "\(finding)")
            #expect(finding.records == finding.rows && finding.records > 0)
        }
    }

    @Test(
        "A topic that was made again while nothing ran is read from its beginning, beside what the old one gave",
        .enabled(if: Admin.tellsTopicIDs, "needs librdkafka 2.3 for topic ids"))
    func madeAgain() throws {
        let fleet = try Fleet(Self.events, partitions: 2)
        for partition in Int32(0)..<2 {
            try fleet.kafka.produce(values(0..<100), to: fleet.topic, partition: partition)
        }
        try fleet.launch(shards: 2)
        try fleet.waitForRecords(200)
        try fleet.stop()
        try fleet.kafka.remake(fleet.topic, partitions: 2)
        for partition in Int32(0)..<2 {
            try fleet.kafka.produce(values(500..<510), to: fleet.topic, partition: partition)
        }
        try fleet.launch(shards: 2)
        let old = "1|0|100|t|100|0|99"
        try waitForSources(fleet, (0..<2).flatMap { ["\($0)|\(old)", "\($0)|2|0|10|f|10|500|509"] })
        // The new life goes on as any other.
        try fleet.kafka.produce(values(510..<700), to: fleet.topic)
        let grown = ["0|\(old)", "0|2|0|200|f|200|500|699", "1|\(old)", "1|2|0|10|f|10|500|509"]
        try waitForSources(fleet, grown)
        try expectProven(fleet, retired: 2)
        try fleet.stop()
        #expect(try sources(fleet) == grown)
    }

    @Test(
        "A topic that was made again with more records and fewer partitions is another one, also while the fleet runs",
        .enabled(if: Admin.tellsTopicIDs, "needs librdkafka 2.3 for topic ids"))
    func madeAgainLarger() throws {
        let fleet = try Fleet(Self.events, partitions: 2)
        for partition in Int32(0)..<2 {
            try fleet.kafka.produce(values(0..<100), to: fleet.topic, partition: partition)
        }
        try fleet.launch(shards: 2)
        try fleet.waitForRecords(200)
        // As it is while the coordinator is away: nothing but the topic's id tells.
        fleet.signal(SIGSTOP)
        try fleet.kafka.remake(fleet.topic, partitions: 1)
        try fleet.kafka.produce(values(500..<700), to: fleet.topic)
        fleet.signal(SIGCONT)
        try fleet.wait("new sources; there are \((try? sources(fleet)) ?? [])") {
            let all = try sources(fleet)
            return all.count == 3 && all[0].hasPrefix("0|1|0|") && all[0].contains("|t|")
                && all[1] == "0|2|0|200|f|200|500|699" && all[2] == "1|1|0|100|t|100|0|99"
        }
        let report = try fleet.waitForStatus("healthy") { $0.healthy }
        #expect(report.sources.count == 1)
        for what in ["was made again (topic id", "is there no more: its topic was made again with 1 partitions"] {
            #expect(report.notices.contains { $0.text.contains(what) }, "\(report.notices)")
        }
        #expect(try fleet.verify(deep: true).flatMap(\.breaks) == [])
        try fleet.stop()
    }

    @Test("Told to begin at the latest, a fleet's first start does, and a partition that comes later is read whole")
    func latest() throws {
        let fleet = try Fleet(Self.events, partitions: 1)
        fleet.offsetReset = "latest"
        try fleet.kafka.produce(values(0..<100), to: fleet.topic)
        try fleet.launch(shards: 1)
        try fleet.waitForStatus("a source with a shard") { $0.sources.count == 1 && $0.sources[0].shard != nil }
        try fleet.kafka.produce(values(100..<110), to: fleet.topic)
        try waitForSources(fleet, ["0|1|100|110|f|10|100|109"])
        try fleet.stop()
        // There before the coordinator looks for the first time: neither is it the topic's first start.
        try fleet.kafka.alter(fleet.topic, partitions: 2)
        try fleet.kafka.produce(values(0..<20), to: fleet.topic, partition: 1)
        try fleet.kafka.produce(values(110..<120), to: fleet.topic)
        try fleet.launch(shards: 1)
        try waitForSources(fleet, ["0|1|100|120|f|20|100|119", "1|1|0|20|f|20|0|19"])
        try expectProven(fleet, retired: 0)
        try fleet.stop()
    }
}
