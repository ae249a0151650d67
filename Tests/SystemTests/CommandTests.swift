import Common
import CoordinatorCore
import Foundation
import TestSupport
import Testing

@Suite("The command line", .serialized, .timeLimit(.minutes(5)))
struct CommandTests {
    private static let events = StreamDefinition(
        name: "events", topics: [], mode: .append, columns: [Column("n", .bigint, required: true, min: 0)])

    private func produce(_ fleet: Fleet, _ range: Range<Int>) throws {
        for partition in 0..<fleet.partitions {
            try fleet.kafka.produce(range.map { #"{"n":\#($0)}"# }, to: fleet.topic, partition: partition)
        }
    }

    @Test("A fleet lives from start to stop by commands alone")
    func life() throws {
        let fleet = try Fleet(Self.events, partitions: 4)
        #expect(try fleet.done("check").contains("table events will be made"))
        try fleet.done("init-db")
        #expect(try fleet.done("check").contains("table events is as it should be"))
        #expect(try fleet.done("init-db", "--print").contains("CREATE TABLE IF NOT EXISTS \"public\".\"events\""))
        try fleet.done("start", "--shards", "2", "--detach")
        defer { _ = try? fleet.command("stop") }
        try produce(fleet, 0..<100)
        try fleet.waitForRecords(400)

        try fleet.done("pause", "\(fleet.topic):1")
        try fleet.waitForStatus("one paused") { $0.sources.count { $0.state == "paused" && $0.shard == nil } == 1 }
        try produce(fleet, 100..<200)
        try fleet.waitForRecords(700)
        #expect(
            try fleet.rows("SELECT max(n) FROM events JOIN millrace.source s ON s.id = source_id WHERE partition = 1")
                == ["99"])
        #expect(try fleet.command("pause", "nothing").code == ExitCode.usage.rawValue)
        try fleet.done("resume", "events")
        try fleet.waitForRecords(800)

        try fleet.done("scale", "--shards", "3")
        let pids = Set(
            try fleet.waitForStatus("three") { $0.healthy && $0.shards.count == 3 }.shards.compactMap(\.pid))
        try fleet.done("restart", "--rolling")
        let after = try fleet.waitForStatus("three others") { report in
            report.healthy && report.shards.count == 3 && pids.isDisjoint(with: report.shards.compactMap(\.pid))
        }
        #expect(after.shards.map(\.restarts) == [1, 1, 1])

        // New workers may still be on their way to the broker, and the lag isn't known before its first answer.
        var output = try fleet.command("status", "--json")
        try fleet.wait("a healthy fleet without lag; last: \(output.text)") {
            output = try fleet.command("status", "--json")
            let report = try JSONDecoder().decode(StatusReport.self, from: Data(output.text.utf8))
            return output.code == ExitCode.success.rawValue && report.healthy && report.sources.count == 4
                && report.streams[0].lag == 0
        }
        #expect(try fleet.command("status").text.contains("SHARD  "))
        #expect(try fleet.done("verify", "--deep").split(separator: "\n").filter { $0.hasSuffix("proven") }.count == 4)

        try fleet.done("drain")
        #expect(try fleet.status()?.shards == [])
        try fleet.waitForNoWorkers(seconds: 1)
        try produce(fleet, 200..<210)
        try fleet.done("scale", "--shards", "1")
        try fleet.waitForRecords(840)
        try fleet.expectExact(perPartition: 210)
        try fleet.done("stop")
        #expect(try fleet.command("status").code == ExitCode.unavailable.rawValue)
        let audit = try fleet.rows("SELECT action, count(*) FROM millrace.audit GROUP BY 1 ORDER BY 1")
        #expect(audit == ["pause|1", "restart|1", "resume|1", "scale|3"])
    }

    @Test(
        "What is mistyped or missing is told in a line, with an exit code",
        arguments: [
            (["frobnicate"], ExitCode.usage), (["scale"], .usage), (["scale", "--shards", "many"], .usage),
            (["verify", "--deep", "--depe"], .usage), (["dlq", "replay"], .usage), (["dlq", "shred"], .usage),
            (["reset", "events"], .usage), (["reset", "nothing", "--to", "latest"], .usage),
            (["reset", "events", "--to", "soon"], .usage), (["start", "--shards", "0"], .usage),
            (["status"], .unavailable),
        ])
    func mistakes(words: [String], code: ExitCode) throws {
        let fleet = try Fleet(Self.events, partitions: 1)
        let output = try fleet.command(words)
        #expect(output.code == code.rawValue && output.text == "", "\(output)")
        #expect(output.errors.split(separator: "\n").count == 1, "\(output.errors)")
    }

    @Test(
        "A wrong Config.json is told by file, key and reason",
        arguments: [
            (#"{"streams":[{"name":"a","mode":"append"}]}"#, ".streams[0]: 'columns' is missing"),
            (#"{"streams":[{"name":"a","mode":"sideways","columns":[]}]}"#, ".streams[0].mode"),
            (
                #"{"streams":[{"name":"a","mode":"upsert","columns":[{"name":"k","type":"text"}]}]}"#,
                "needs key columns"
            ),
            (#"{"keep_changes":"soon"}"#, ".keep_changes: 'soon' is no period"),
            (#"{"offset_reset":"middle","kafka":{"bootstrap.servers":"x"}}"#, "must be 'earliest' or 'latest'"),
            (#"{}"#, "no Kafka: set KAFKA_BOOTSTRAP_SERVERS"),
        ])
    func wrongConfiguration(text: String, expected: String) throws {
        let fleet = try Fleet(Self.events, partitions: 1)
        let output = try fleet.command(["check"], configuration: text)
        #expect(output.code == ExitCode.configuration.rawValue && output.errors.contains(expected), "\(output)")
    }
}
