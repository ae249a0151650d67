import Common
import CoordinatorCore
import Foundation
import Postgres
import TestSupport
import Testing

@Suite("A start in an outage", .serialized, .timeLimit(.minutes(10)))
struct WaitingStartTests {
    private static let stream = #"""
        {"streams":[{"name":"events","topics":["%"],"mode":"append","columns":[{"name":"n","type":"bigint"}]}]}
        """#

    /// Told of servers that are its own.
    private func fleet(_ kafka: TestKafka, _ postgres: [String: String], topic: String) throws -> LonelyFleet {
        let fleet = try LonelyFleet()
        fleet.environment["KAFKA_BOOTSTRAP_SERVERS"] = kafka.bootstrap
        for (parameter, name) in ["host": "PGHOST", "dbname": "PGDATABASE", "user": "PGUSER"] {
            fleet.environment[name] = postgres[parameter]
        }
        try Self.stream.replacing("%", with: topic).write(
            toFile: fleet.folder + "/Config.json", atomically: false, encoding: .utf8)
        return fleet
    }

    @Test(
        "With --wait absent Postgres and Kafka are waited for, one after the other, and nothing is lost; without it is refused"
    )
    func waits() throws {
        let (kafka, server) = (try TestKafka(), try TestPostgres())
        let topic = try kafka.makeTopic(partitions: 2)
        try kafka.produce(["{\"n\":1}", "{\"n\":2}"], to: topic)
        let fleet = try fleet(kafka, server.makeDatabase(), topic: topic)
        try server.crash()
        try kafka.crash()
        #expect(try fleet.command("start").code == ExitCode.unavailable.rawValue)

        try fleet.start("--wait", "--shards", "2")
        let report = try fleet.waitForStatus("its reason") { !$0.problems.isEmpty }
        #expect(
            !report.healthy && report.problems.contains { $0.hasPrefix("discovery: Postgres: connect") }, "\(report)")
        try server.revive()
        try fleet.waitForStatus("Kafka is waited for") { report in
            report.problems.contains { $0.contains("Kafka at \(kafka.bootstrap) does not answer") }
        }
        try kafka.revive()
        try fleet.waitForStatus("all") { $0.healthy && $0.sources.count == 2 && $0.streams.first?.rows == 2 }
        #expect(try fleet.rows("SELECT n FROM events ORDER BY n") == ["1", "2"])
        try fleet.done("stop")
        #expect(fleet.waitForExit() == ExitCode.success.rawValue)

        // With generations that are higher than a new fleet's; and told to end while it waits.
        try server.crash()
        fleet.environment["MILLRACE_WAIT"] = "true"
        try fleet.start("--shards", "1")
        try server.revive()
        try fleet.waitForStatus("all again") { $0.healthy && $0.sources.count == 2 && $0.generation > 1 }
        try fleet.done("stop")
        try server.crash()
        try fleet.start("--shards", "1")
        try fleet.done("stop")
        #expect(fleet.waitForExit() == ExitCode.success.rawValue)
        try server.revive()
    }

    @Test("What only a person can mend is no outage: it ends the wait with the configuration's exit code")
    func refused() throws {
        let (kafka, server) = (try TestKafka.shared.get(), try TestPostgres())
        let fleet = try fleet(kafka, server.makeDatabase(), topic: "not-made-\(UUID().uuidString.prefix(8))")
        try server.crash()
        try fleet.start("--wait", "--shards", "1")
        try server.revive()
        #expect(fleet.waitForExit() == ExitCode.configuration.rawValue)
        #expect(fleet.log.contains("does not exist"))
    }
}
