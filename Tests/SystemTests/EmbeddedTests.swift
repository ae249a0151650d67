import Common
import Foundation
import TestSupport
import Testing

/// What `start` does where nothing says where Kafka and Postgres are.
@Suite("A fleet that brings its own Kafka and Postgres", .serialized, .timeLimit(.minutes(10)))
struct EmbeddedTests {
    /// How long what a killed coordinator leaves may live.
    private static let remainderSeconds = 12.0

    private let count: (records: Int, rate: Int) =
        ProcessInfo.processInfo.environment["MILLRACE_MEASURE"] == nil ? (20_000, 1000) : (200_000, 20_000)

    private func isRunning(_ report: StatusReport) -> Bool {
        report.healthy && report.edges.allSatisfy { $0.state == "running" && !$0.id.isEmpty }
    }

    /// Kills the coordinator; then nothing of the fleet is left in time.
    private func killAndWait(_ fleet: LonelyFleet) throws {
        fleet.killCoordinator()
        let begin = ContinuousClock.now
        try fleet.wait("the end of \(fleet.processes())", seconds: Self.remainderSeconds) { fleet.processes().isEmpty }
        print("figure: nothing is left \(ContinuousClock.now - begin) after the kill of the coordinator")
    }

    private func expectProven(_ fleet: LonelyFleet, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let output = try fleet.command("verify", "--deep")
        #expect(output.code == 0, "\(output)", sourceLocation: sourceLocation)
        let lines = output.text.split(separator: "\n")
        #expect(!lines.isEmpty && lines.allSatisfy { $0.contains(": proven") }, "\(output.text)")
    }

    @Test("Worker, edge and coordinator are killed while records come: rows are exact, and nothing outlives the fleet")
    func kills() throws {
        let fleet = try LonelyFleet()
        let begin = ContinuousClock.now
        try fleet.start("--shards", "4", "--edges", "1", "--edge-port", "0")
        print("figure: \(ContinuousClock.now - begin) to the first start with everything embedded")
        #expect(fleet.log.contains("so a private Apache Kafka keeps the records: 127.0.0.1:"))
        #expect(fleet.log.contains("so a private one keeps the rows: 127.0.0.1:"))
        let hint =
            "make the first one: coordinator users add NAME --role admin --runtime-dir \(fleet.folder)/.millrace\n"
        #expect(fleet.log.components(separatedBy: hint).count == 2)
        let report = try fleet.waitForStatus("all runs", isRunning)
        #expect(report.kafka.embedded == "apache" && report.postgres.embedded)
        #expect(report.postgres.database == "millrace" && report.postgres.user == "millrace")
        #expect(fleet.log.contains("dashboard and clients: http://\(report.edges[0].address)\n"))

        // Longer than a broker needs to come back; all else is the running fleet's.
        try #"{"kafka":{"delivery.timeout.ms":"180000"}}"#.write(
            toFile: fleet.folder + "/patient.json", atomically: false, encoding: .utf8)
        let producing = try fleet.begin(
            "produce", "traffic_data", "--count", String(count.records), "--rate", String(count.rate), "--json",
            "--config", "patient.json")
        func stored() throws -> Int { Int(try fleet.rows("SELECT count(*) FROM traffic_data")[0])! }
        try fleet.wait("some rows") { try stored() > count.records / 10 }
        kill(try #require(report.shards[1].pid), SIGKILL)
        kill(try #require(report.edges[0].pid), SIGKILL)
        let after = try fleet.waitForStatus("worker and edge are back") { now in
            isRunning(now) && now.edges.map(\.restarts) == [1] && now.shards.contains { $0.restarts == 1 }
        }
        #expect(after.edges[0].address == report.edges[0].address && after.edges[0].pid != report.edges[0].pid)
        #expect(try stored() < count.records, "it was produced too fast to be disturbed")
        try killAndWait(fleet)

        let second = ContinuousClock.now
        try fleet.start("--shards", "4", "--edges", "1", "--edge-port", "0")
        print("figure: \(ContinuousClock.now - second) to the second start")
        let again = try fleet.waitForStatus("all runs again", isRunning)
        #expect(again.kafka.bootstrap == report.kafka.bootstrap && again.postgres.port == report.postgres.port)
        let produced = producing()
        #expect(produced.code == 0, "\(produced)")
        try fleet.wait("all rows; \((try? stored()) ?? -1)") { try stored() >= count.records }
        #expect(try stored() == count.records)
        try expectProven(fleet)
        #expect(try fleet.done("psql", "-Atc", "SELECT count(*) FROM traffic_data") == "\(count.records)\n")
        #expect(try fleet.done("check").contains("topic traffic_data, 8 partitions"))
        try fleet.done("stop")
        #expect(fleet.waitForExit() == 0)
        #expect(fleet.processes().map(\.command) == [])
    }

    @Test("The proof, and another name for a stream, need no fleet: its services are there while the command runs")
    func idle() throws {
        let fleet = try LonelyFleet()
        let nothing = try fleet.command("verify")
        #expect(nothing.code == ExitCode.configuration.rawValue && nothing.errors.contains("no Kafka: set KAFKA_"))
        func configure(_ name: String) throws {
            let column = #"{"name":"n","type":"bigint"}"#
            try
                #"{"streams":[{"name":"\#(name)","topics":["t"],"table":"kept","mode":"append","columns":[\#(column)]}]}"#
                .write(toFile: fleet.folder + "/Config.json", atomically: true, encoding: .utf8)
        }
        try configure("before")
        try (0..<100).map { "{\"n\":\($0)}\n" }.joined().write(
            toFile: fleet.folder + "/records", atomically: true, encoding: .utf8)
        try fleet.start("--shards", "1")
        try fleet.done("produce", "before", "--file", "records")
        try fleet.wait("all rows") { try fleet.rows("SELECT count(*) FROM kept") == ["100"] }
        try fleet.done("stop")
        #expect(fleet.waitForExit() == 0)

        try expectProven(fleet)
        #expect(fleet.processes().map(\.command) == [])
        try configure("after")
        let refused = try fleet.command("start")
        #expect(refused.code == ExitCode.configuration.rawValue)
        #expect(refused.errors.contains("if that is its new name: coordinator rename before after"))
        #expect(try fleet.done("rename", "before", "after").contains("stream after: "))

        try fleet.start("--shards", "1")
        try fleet.done("produce", "after", "--file", "records")
        try fleet.wait("all rows") { try fleet.rows("SELECT count(*) FROM kept") == ["200"] }
        try expectProven(fleet)
        try fleet.done("stop")
        #expect(fleet.waitForExit() == 0)
    }

    @Test("A start right after the coordinator was killed waits for what that one left, and takes over its data")
    func takeover() throws {
        let fleet = try LonelyFleet()
        try fleet.start("--shards", "2")
        try fleet.done("produce", "stocks", "--count", "200")
        let cluster = try fleet.rows("SELECT DISTINCT cluster_id FROM millrace.source")
        fleet.killCoordinator()
        try fleet.start("--shards", "2")
        #expect(fleet.log.contains("has not ended yet; waiting for it"))
        try fleet.waitForStatus("no lag") { $0.healthy && $0.streams.allSatisfy { $0.lag == 0 } }
        #expect(try fleet.rows("SELECT DISTINCT cluster_id FROM millrace.source") == cluster)
        try expectProven(fleet)
        // Its services come back on their ports.
        let ports = try fleet.status().map { ($0.kafka.bootstrap, $0.postgres.port) }
        kill(try fleet.process("kafka.Kafka"), SIGKILL)
        kill(try fleet.process("/bin/postgres -D"), SIGKILL)
        try fleet.wait("a broker that is back") { try fleet.command("produce", "stocks", "--count", "200").code == 0 }
        try fleet.waitForStatus("all is back, without lag") { $0.healthy && $0.streams.allSatisfy { $0.lag == 0 } }
        #expect(try fleet.status().map { ($0.kafka.bootstrap, $0.postgres.port) }! == ports!)
        try expectProven(fleet)
        try fleet.done("stop")
    }

    @Test("With the mock cluster nothing is skipped while it lives; each life of it is another cluster and says so")
    func mock() throws {
        let fleet = try LonelyFleet()
        fleet.environment["MILLRACE_EMBEDDED_KAFKA"] = "mock"
        func records() throws -> Int {
            Int(try fleet.rows("SELECT coalesce(sum(next_offset - start_offset), 0) FROM millrace.source")[0])!
        }
        var expected = 0
        func produce(_ count: Int) throws {
            try fleet.done("produce", "--streams", "traffic_data,stocks", "--count", String(count))
            expected += count
            try fleet.wait("\(expected) records; \((try? records()) ?? -1)") { try records() >= expected }
            #expect(try records() == expected)
            #expect(
                try fleet.rows("SELECT sum(open_skipped) FROM millrace.source")
                    == ["0"])
            try expectProven(fleet)
        }
        try fleet.start("--shards", "4", "--edges", "1", "--edge-port", "0")
        #expect(fleet.log.contains("so librdkafka's mock cluster takes records: 127.0.0.1:"))
        let report = try fleet.waitForStatus("all runs", isRunning)
        #expect(
            report.kafka.embedded == "mock" && report.notices.contains { $0.text.contains("in memory, the last 5 MB") })
        try produce(2000)
        kill(try #require(report.shards[0].pid), SIGKILL)
        kill(try #require(report.edges[0].pid), SIGKILL)
        try produce(2000)
        try killAndWait(fleet)

        try fleet.start("--shards", "4")
        #expect(fleet.log.contains("a new and empty one"))
        try fleet.waitForStatus("it says so") { now in
            isRunning(now) && now.notices.contains { $0.text.contains("another Kafka cluster") }
        }
        try produce(1000)
        // The cluster itself dies: another one, elsewhere, and the workers go there.
        kill(try fleet.process("mock-kafka"), SIGKILL)
        try fleet.waitForStatus("a third cluster is read") { now in
            isRunning(now) && now.notices.contains { $0.text.contains("the one before has ended") }
                && now.sources.allSatisfy { $0.lag == 0 }
        }
        try produce(1000)
        let clusters = try fleet.rows("SELECT DISTINCT cluster_id FROM millrace.source ORDER BY 1")
        #expect(clusters.count == 3 && clusters.allSatisfy { $0.hasPrefix("mock-") }, "\(clusters)")
        try fleet.done("stop")
        #expect(fleet.waitForExit() == 0 && fleet.processes().isEmpty)
    }
}
