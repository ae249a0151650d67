import Common
import Foundation
import Kafka
import TestSupport
import Testing

/// Nothing is read a second time unless somebody says so, or Kafka says that it is another log.
@Suite("Nothing is read again by itself", .serialized, .timeLimit(.minutes(10)))
struct ReadOnceTests {
    private static let events = StreamDefinition(
        name: "events", topics: [], mode: .append, columns: [Column("n", .bigint, required: true)])
    private static let stock = StreamDefinition(
        name: "events", topics: [], mode: .increment, key: ["sku"], increments: ["quantity"],
        columns: [Column("sku", .text, required: true), Column("quantity", .bigint, required: true)])

    private func values(_ range: Range<Int>) -> [String] { range.map { #"{"n":\#($0)}"# } }

    @Test("Another cluster and back: refused, begun there when somebody says so, and gone on with where it stood")
    func anotherClusterAndBack() throws {
        let other = try TestKafka()
        let fleet = try Fleet(Self.stock, partitions: 2)
        func move(_ count: Int, _ kafka: TestKafka) throws {
            for partition in Int32(0)..<2 {
                try kafka.produce(
                    (0..<count).map { _ in #"{"sku":"p\#(partition)","quantity":1}"# }, to: fleet.topic,
                    partition: partition)
            }
        }
        func quantity() throws -> String { try fleet.rows("SELECT sum(quantity) FROM events")[0] }
        func sources() throws -> [String] {
            try fleet.rows(
                "SELECT partition, start_offset, next_offset, retired_at IS NULL FROM millrace.source ORDER BY id")
        }
        try move(50, fleet.kafka)
        try fleet.launch(shards: 1)
        try fleet.waitForRecords(100)
        try fleet.stop()
        _ = try other.makeTopic(fleet.topic, partitions: 2)
        let (here, there) = (
            try #require(try Admin(fleet.kafka.configuration).clusterID()),
            try #require(try Admin(other.configuration).clusterID())
        )
        fleet.kafkaConfiguration = other.configuration
        let refused = try fleet.launchFailing()
        #expect(refused.code == ExitCode.configuration.rawValue)
        for what in [here, there, fleet.topic, "--new-cluster"] {
            #expect(refused.text.contains(what), "\(refused.text)")
        }
        #expect(try fleet.command("check").code == ExitCode.configuration.rawValue)
        fleet.beginsOnNewCluster = true
        try fleet.launch(shards: 1)
        try move(5, other)
        try fleet.waitForRecords(110)
        try fleet.stop()
        let findings = try fleet.verify(deep: true)
        #expect(findings.flatMap(\.breaks) == [])
        #expect(findings.filter { $0.notComparable.contains { $0.contains("of cluster \(here)") } }.count == 2)
        // Back: nobody has to say anything, nothing is read again.
        fleet.beginsOnNewCluster = false
        fleet.kafkaConfiguration = fleet.kafka.configuration
        try fleet.launch(shards: 1)
        try move(10, fleet.kafka)
        try fleet.waitForRecords(130)
        try fleet.stop()
        #expect(try sources() == ["0|0|60|t", "1|0|60|t", "0|0|5|t", "1|0|5|t"])
        #expect(try quantity() == "130")
        #expect(try fleet.verify(deep: true).flatMap(\.breaks) == [])
        // And there too.
        fleet.kafkaConfiguration = other.configuration
        try fleet.launch(shards: 1)
        try move(1, other)
        try fleet.waitForRecords(132)
        try fleet.stop()
        #expect(try quantity() == "132")
    }

    @Test("A broker that was put back to an older state stops its sources, until somebody says where they go on")
    func restoredBroker() throws {
        let kafka = try TestKafka()
        let fleet = try Fleet(Self.events, partitions: 1, kafka: kafka)
        try kafka.produce(values(0..<100), to: fleet.topic)
        try fleet.launch(shards: 1)
        try fleet.waitForRecords(100)
        try fleet.stop()
        try kafka.crash()
        try kafka.save()
        try kafka.revive()
        try fleet.launch(shards: 1)
        try kafka.produce(values(100..<150), to: fleet.topic)
        try fleet.waitForRecords(150)
        // While it runs: its worker or its coordinator sees it first.
        try kafka.crash()
        try kafka.restore()
        try kafka.revive()
        let report = try fleet.waitForStatus("it stops") { report in
            report.sources.allSatisfy { $0.state == "stopped" } && report.sources.count == 1 && !report.healthy
        }
        #expect(report.sources[0].nextOffset == 150)
        // A log that grows past the place is no log that was read up to there.
        try kafka.produce(values(500..<600), to: fleet.topic)
        try fleet.wait("it is said in the database, for good") {
            try fleet.rows("SELECT paused_by LIKE 'stopped: %' FROM millrace.source") == ["t"]
        }
        #expect(try fleet.command("resume", "events").code != 0)
        try fleet.stop()
        try fleet.launch(shards: 1)
        try fleet.waitForStatus("it is stopped after a restart") { $0.sources.first?.state == "stopped" }
        #expect(try fleet.rows("SELECT count(*) FROM events") == ["150"])
        #expect(try fleet.command("verify", "--deep").code == ExitCode.found.rawValue)
        // What it has there now are others, but only who put it back knows.
        #expect(try fleet.command("reset", "events", "--to", "100").errors.contains("50 offsets"))
        try fleet.done("reset", "events", "--to", "100", "--again")
        try fleet.wait("what came after; \((try? fleet.rows("SELECT count(*) FROM events")) ?? [])") {
            try fleet.rows("SELECT count(*), max(n) FROM events") == ["250|599"]
        }
        try fleet.waitForStatus("healthy") { $0.healthy }
        let findings = try fleet.verify(deep: true)
        #expect(findings.flatMap(\.breaks) == [])
        try fleet.stop()
    }

    @Test("A broker of another cluster at the same address stops what was read from the one before")
    func anotherBrokerAtTheAddress() throws {
        let first = try TestKafka()
        let fleet = try Fleet(Self.events, partitions: 1, kafka: first)
        try first.produce(values(0..<20), to: fleet.topic)
        try fleet.launch(shards: 1)
        try fleet.waitForRecords(20)
        try first.crash()
        let second = try TestKafka(port: first.port)
        _ = try second.makeTopic(fleet.topic, partitions: 1)
        try second.produce(values(500..<600), to: fleet.topic)
        let report = try fleet.waitForStatus("it stops") { report in
            report.sources.allSatisfy { $0.state == "stopped" } && report.sources.count == 1 && !report.healthy
        }
        #expect(report.sources[0].reason?.contains("cluster") == true, "\(report.sources)")
        #expect(try fleet.rows("SELECT count(*), max(n) FROM events") == ["20|19"])
        // The right one is back: nobody has to say anything.
        try second.crash()
        try first.revive()
        try first.produce(values(20..<30), to: fleet.topic)
        try fleet.wait("what comes then") { try fleet.rows("SELECT count(*), max(n) FROM events") == ["30|29"] }
        try fleet.waitForStatus("healthy") { $0.healthy }
        #expect(try fleet.verify(deep: true).flatMap(\.breaks) == [])
        try fleet.stop()
    }

    @Test("On a new cluster that lacks one of the topics the others are read, now and after a restart")
    func newClusterWithoutOne() throws {
        let other = try TestKafka()
        let fleet = try Fleet(Self.events, partitions: 1)
        fleet.stream.topics.append(try fleet.kafka.makeTopic(partitions: 1))
        for topic in fleet.stream.topics { try fleet.kafka.produce(values(0..<10), to: topic) }
        try fleet.launch(shards: 1)
        try fleet.waitForRecords(20)
        try fleet.stop()
        _ = try other.makeTopic(fleet.topic, partitions: 1)
        fleet.kafkaConfiguration = other.configuration
        fleet.beginsOnNewCluster = true
        for count in [10, 20] {
            try fleet.launch(shards: 1)
            // Longer than some discoveries, one a second.
            let later = Date.now + 4
            try fleet.wait("some discoveries") { Date.now > later }
            try other.produce(values(500 + count..<510 + count), to: fleet.topic)
            try fleet.waitForRecords(Int64(20 + count))
            let report = try fleet.waitForStatus("the one that is missing is told") { !$0.problems.isEmpty }
            #expect(report.sources.map(\.state) == ["running"], "\(report.sources)")
            try fleet.stop()
            fleet.beginsOnNewCluster = false
        }
    }

    @Test(
        "A topic that was made again is begun at its start although new ones are begun at their end, also after a kill in between",
        .enabled(if: Admin.tellsTopicIDs))
    func madeAgainWithLatest() throws {
        let fleet = try Fleet(Self.events, partitions: 1)
        fleet.offsetReset = "latest"
        try fleet.launch(shards: 1)
        try fleet.waitForStatus("a source with a shard") { $0.sources.first?.shard != nil }
        try fleet.kafka.produce(values(0..<10), to: fleet.topic)
        try fleet.waitForRecords(10)
        try fleet.stop()
        try fleet.kafka.remake(fleet.topic, partitions: 1)
        try fleet.kafka.produce(values(500..<505), to: fleet.topic)
        try fleet.execute("UPDATE millrace.source SET retired_at = now()")
        try fleet.launch(shards: 1)
        try fleet.wait("what the new one has") { try fleet.rows("SELECT count(*), max(n) FROM events") == ["15|504"] }
        try fleet.stop()
    }

    @Test("Records that two sources of the same topic have stored are a break", .enabled(if: Admin.tellsTopicIDs))
    func storedTwice() throws {
        let fleet = try Fleet(Self.events, partitions: 1)
        try fleet.kafka.produce(values(0..<100), to: fleet.topic)
        try fleet.launch(shards: 1)
        try fleet.waitForRecords(100)
        try fleet.stop()
        // As versions before this one did when the cluster was another one for a while.
        try fleet.execute("UPDATE millrace.source SET retired_at = now()")
        try fleet.launch(shards: 1)
        try fleet.waitForRecords(200)
        try fleet.stop()
        let breaks = try fleet.verify(deep: false).flatMap(\.breaks)
        #expect(
            breaks.count == 1 && breaks[0].hasPrefix("0..<100: stored as source 1 before, of the same topic"),
            "\(breaks)")
        #expect(try fleet.command("verify").code == ExitCode.found.rawValue)
    }

    @Test("Rows of no source, and of offsets that theirs never came to, are breaks")
    func strays() throws {
        let fleet = try Fleet(Self.events, partitions: 1)
        try fleet.kafka.produce(values(0..<10), to: fleet.topic)
        try fleet.launch(shards: 1)
        try fleet.waitForRecords(10)
        try fleet.stop()
        try fleet.execute("INSERT INTO events (n, source_id, source_offset) VALUES (1, 1, 10), (2, 7, 0), (3, 7, 1)")
        let breaks = try fleet.verify(deep: false).flatMap(\.breaks)
        #expect(
            breaks == [
                "1 rows in events of offsets outside of 0..<10", "2 rows in events are of no source of the stream",
            ])
    }

    @Test("A renamed stream is refused until it is said; then it goes on where it stood, in the same table")
    func renamed() throws {
        let fleet = try Fleet(Self.events, partitions: 1)
        try fleet.kafka.produce(values(0..<100) + ["poison"], to: fleet.topic)
        try fleet.launch(shards: 1)
        try fleet.waitForRecords(101)
        let epoch = try fleet.rows("SELECT epoch FROM millrace.stream")
        fleet.stream = StreamDefinition(
            name: "readings", topics: [fleet.topic], table: "events", mode: .append, columns: Self.events.columns)
        #expect(try fleet.command("rename", "events", "readings").errors.contains("stop it first"))
        try fleet.stop()
        let refused = try fleet.launchFailing()
        #expect(refused.code == ExitCode.configuration.rawValue)
        #expect(refused.text.contains("coordinator rename events readings"), "\(refused.text)")
        #expect(try fleet.command("rename", "nothing", "readings").code == ExitCode.usage.rawValue)
        #expect(try fleet.done("rename", "events", "readings") == "stream readings: 1 sources\n")
        try fleet.launch(shards: 1)
        try fleet.kafka.produce(values(100..<110), to: fleet.topic)
        try fleet.waitForRecords(111)
        #expect(try fleet.rows("SELECT count(*), max(n) FROM events") == ["110|109"])
        #expect(try fleet.rows("SELECT name, epoch FROM millrace.stream") == ["readings|\(epoch[0])"])
        #expect(try fleet.verify(deep: true).flatMap(\.breaks) == [])
        try fleet.stop()
    }

    @Test("A topic that the configuration gives to another stream is refused, and taken over from where it stood")
    func moved() throws {
        let fleet = try Fleet(Self.events, partitions: 1)
        try fleet.kafka.produce(values(0..<100), to: fleet.topic)
        try fleet.launch(shards: 1)
        try fleet.waitForRecords(100)
        try fleet.stop()
        fleet.stream = StreamDefinition(
            name: "others", topics: [fleet.topic], mode: .append, columns: Self.events.columns)
        let refused = try fleet.launchFailing()
        #expect(refused.code == ExitCode.configuration.rawValue)
        #expect(refused.text.contains("belongs to stream 'events'"), "\(refused.text)")
        try fleet.done("reset", "others", "--to", "current")
        try fleet.launch(shards: 1)
        try fleet.kafka.produce(values(100..<110), to: fleet.topic)
        try fleet.wait("what came since") { try fleet.rows("SELECT count(*), min(n) FROM others") == ["10|100"] }
        #expect(try fleet.rows("SELECT count(*) FROM events") == ["100"])
        #expect(try fleet.verify(deep: true).flatMap(\.breaks) == [])
        try fleet.stop()
    }
}
