import Common
import Foundation
import TestSupport
import Testing

/// Postgres or Kafka away under load. For a moment in every run of the tests; `make measure` makes it long.
@Suite("Away", .serialized, .timeLimit(.minutes(15)))
struct OutageTests {
    private static var isLarge: Bool { ProcessInfo.processInfo.environment["MILLRACE_MEASURE"] == "1" }
    private static let events = StreamDefinition(
        name: "events", topics: [], mode: .append, columns: [Column("n", .bigint, required: true)])

    /// The length of the outage is what is tested.
    private func pass(_ seconds: Double, _ fleet: Fleet) throws {
        let end = Date.now + seconds
        try fleet.wait("\(seconds) s", seconds: seconds + 10) { Date.now >= end }
    }

    private func expectUnharmed(_ fleet: Fleet, _ report: StatusReport) {
        #expect(report.shards.allSatisfy { $0.state == "running" && $0.restarts == 0 }, "\(report.shards)")
    }

    @Test("Postgres away under load: degraded, no worker restarted, no dead letter; then everything is stored")
    func postgres() throws {
        let server = try TestPostgres()
        let fleet = try Fleet(Self.events, partitions: 4, server: server)
        try fleet.launch(shards: 2)
        try fleet.waitForStatus("healthy") { $0.healthy }
        let load = LoadGenerator(fleet.kafka, topic: fleet.topic, partitions: 4, rate: 200)
        try fleet.waitForRecords(100)
        let seconds = Self.isLarge ? 90.0 : 5
        try server.crash()
        let during = try fleet.waitForStatus("degraded") { $0.problems.contains { $0.contains("waits for postgres") } }
        expectUnharmed(fleet, during)
        try pass(seconds, fleet)
        expectUnharmed(fleet, try fleet.waitForStatus("still degraded") { !$0.healthy })
        try server.revive()
        let revived = Date.now
        try fleet.wait("commits again", seconds: 60) { (try? fleet.stored()) ?? 0 > 100 }
        let perPartition = try load.stop()
        let backlog = Date.now
        try fleet.waitForRecords(Int64(perPartition * 4))
        print(
            String(
                format:
                    "figure: Postgres away for %.0f s under load: %d records, all stored %.1f s after it was back (%.1f s after the load ended)",
                seconds, perPartition * 4, Date.now.timeIntervalSince(revived), Date.now.timeIntervalSince(backlog)))
        try fleet.expectExact(perPartition: perPartition)
        try fleet.expectProven()
        expectUnharmed(
            fleet, try fleet.waitForStatus("healthy") { $0.healthy && $0.sources.allSatisfy { $0.lag == 0 } })
        #expect(try fleet.rows("SELECT count(*) FROM millrace.dead_letter") == ["0"])
        fleet.signal(SIGTERM)
        #expect(fleet.waitForExit() == ExitCode.success.rawValue)
    }

    @Test("Kafka away: degraded, no worker restarted; healthy again without a record having come, and it goes on")
    func kafka() throws {
        let broker = try TestKafka()
        let fleet = try Fleet(Self.events, partitions: 4, kafka: broker)
        try fleet.launch(shards: 2)
        let values = (0..<500).map { #"{"n":\#($0)}"# }
        for partition in Int32(0)..<4 { try broker.produce(values, to: fleet.topic, partition: partition) }
        try fleet.waitForRecords(2000)
        try broker.crash()
        let during = try fleet.waitForStatus("degraded") { $0.problems.contains { $0.contains("waits for kafka") } }
        expectUnharmed(fleet, during)
        try pass(Self.isLarge ? 90 : 3, fleet)
        try broker.revive()
        expectUnharmed(fleet, try fleet.waitForStatus("healthy", seconds: 90) { $0.healthy })
        for partition in Int32(0)..<4 {
            try broker.produce((500..<600).map { #"{"n":\#($0)}"# }, to: fleet.topic, partition: partition)
        }
        try fleet.waitForRecords(2400)
        try fleet.expectExact(perPartition: 600)
        try fleet.expectProven()
        fleet.signal(SIGTERM)
        #expect(fleet.waitForExit() == ExitCode.success.rawValue)
    }
}
