import Common
import CoordinatorCore
import Foundation
import TestSupport
import Testing

/// What keeps a fleet from starting, or what it does without: a line and an exit code each.
@Suite("Starts that can't be", .serialized, .timeLimit(.minutes(5)))
struct StartMistakeTests {
    /// One sentence, and what was there is as it was.
    private func expectRefused(
        _ output: LonelyFleet.Output, _ code: ExitCode, _ text: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(output.code == code.rawValue, "\(output)", sourceLocation: sourceLocation)
        #expect(output.errors.contains(text), "\(output)", sourceLocation: sourceLocation)
        #expect(
            output.errors.split(separator: "\n").count == 1, "\(output.errors)", sourceLocation: sourceLocation)
    }

    /// A fleet in a folder that is told of the tests' own servers.
    private func configured() throws -> LonelyFleet {
        let fleet = try LonelyFleet()
        let postgres = try TestPostgres.shared.get().makeDatabase()
        fleet.environment["KAFKA_BOOTSTRAP_SERVERS"] = try TestKafka.shared.get().bootstrap
        for (parameter, name) in ["host": "PGHOST", "dbname": "PGDATABASE", "user": "PGUSER"] {
            fleet.environment[name] = postgres[parameter]
        }
        return fleet
    }

    @Test("A second start, a taken port, a Kafka that doesn't answer")
    func refusals() throws {
        let fleet = try configured()
        for topic in ["traffic_data", "ws_incoming", "stocks"] { _ = try? TestKafka.shared.get().makeTopic(topic) }
        let port = try FreePort.random()
        try fleet.start("--shards", "1", "--metrics", "127.0.0.1:\(port)", "--edges", "1", "--edge-port", "0")
        expectRefused(
            try fleet.command("start"), .unavailable, "is in use by the coordinator with pid \(fleet.pid); stop it")
        // As if this fleet had been started so: its log is its own.
        let log = fleet.folder + "/.millrace/coordinator.log"
        try "what it says\n".write(toFile: log, atomically: false, encoding: .utf8)
        expectRefused(
            try fleet.command("start", "--detach"), .unavailable, "is in use by the coordinator with pid \(fleet.pid)")
        #expect(try String(contentsOfFile: log, encoding: .utf8) == "what it says\n")

        let other = try configured()
        expectRefused(
            try other.command("start", "--metrics", "127.0.0.1:\(port)"), .unavailable, "127.0.0.1:\(port)")
        // An edge gets the next one.
        let edge = try #require(
            ListenAddress(
                try fleet.waitForStatus("an edge that listens") { $0.edges.contains { !$0.id.isEmpty } }.edges[0]
                    .address))
        try other.start("--shards", "1", "--edges", "1", "--edge-port", String(edge.port))
        #expect(other.log.contains("port \(edge.port) is taken; an edge gets the next free one"))
        #expect(other.log.contains("dashboard and clients: http://127.0.0.1:"))
        try other.done("stop")

        other.environment["KAFKA_BOOTSTRAP_SERVERS"] = "127.0.0.1:1"
        expectRefused(
            try other.command("start"), .unavailable,
            "Kafka at 127.0.0.1:1 does not answer; check KAFKA_BOOTSTRAP_SERVERS")
        try fleet.done("stop")
    }

    @Test("No Java, records that only Apache Kafka can read, a wrong password")
    func withoutJava() throws {
        let fleet = try LonelyFleet()
        fleet.environment["JAVA_HOME"] = "/nonexistent"
        expectRefused(
            try fleet.command("start", "--embedded-kafka", "apache"), .unavailable, "there is no Java")
        try fleet.start("--shards", "1")
        #expect(
            fleet.log.contains("there is no Java") && fleet.log.contains("so librdkafka's mock cluster takes records"))

        // The private Postgres from outside, with another password than its own.
        let other = try LonelyFleet()
        let postgres = try fleet.postgres()
        other.environment["KAFKA_BOOTSTRAP_SERVERS"] = try #require(try fleet.status()).kafka.bootstrap
        for (parameter, name) in ["host": "PGHOST", "port": "PGPORT", "dbname": "PGDATABASE", "user": "PGUSER"] {
            other.environment[name] = postgres[parameter]
        }
        other.environment["PGPASSWORD"] = "wrong"
        expectRefused(
            try other.command("start"), .configuration, "password authentication failed for user \"millrace\"")
        try fleet.done("stop")

        // As if it had had Java before.
        try FileManager.default.createDirectory(
            atPath: fleet.folder + "/.millrace/kafka/records", withIntermediateDirectories: true)
        expectRefused(try fleet.command("start"), .unavailable, "can't be run: kafka: there is no Java")
    }

    @Test("With nothing configured and no fleet, a command says how to get either")
    func nothing() throws {
        let fleet = try LonelyFleet()
        expectRefused(
            try fleet.command("verify"), .configuration,
            "no Kafka: set KAFKA_BOOTSTRAP_SERVERS, or kafka.bootstrap.servers in Config.json, or start one: coordinator start"
        )
        fleet.environment["KAFKA_BOOTSTRAP_SERVERS"] = "127.0.0.1:1"
        expectRefused(
            try fleet.command("verify"), .configuration,
            "no Postgres: set PGHOST, or postgres.host in Config.json, or start one: coordinator start")
        #expect(try fleet.done("init-db", "--print").contains("CREATE TABLE"))
    }
}
