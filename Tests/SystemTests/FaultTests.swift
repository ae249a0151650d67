import Common
import Foundation
import TestSupport
import Testing

/// Random faults with a seed. `make soak SEEDS=20` runs many; a seed that fails is run again by `SEED=n`.
@Suite("Under faults", .serialized, .timeLimit(.minutes(60)))
struct FaultTests {
    private static func setting(_ name: String) -> Int? {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
    }

    private static var seeds: [UInt64] {
        if let seed = setting("MILLRACE_SEED") { return [UInt64(seed)] }
        return (0..<UInt64(setting("MILLRACE_SEEDS") ?? 2)).map { $0 }
    }

    @Test("Rows are exact, dead letters are the poison, nobody is left behind", arguments: seeds)
    func seeded(seed: UInt64) throws {
        let run = try FaultRun(seed: seed, kafka: TestKafka(), server: TestPostgres())
        try run.run(faults: 10)
        print("seed \(seed): \(run.summary)")
    }

    @Test("Postgres away for ten seconds under load: nothing lost, no dead letter, no worker restarted")
    func longOutage() throws {
        let server = try TestPostgres()
        let stream = StreamDefinition(
            name: "events", topics: [], mode: .append, columns: [Column("n", .bigint, required: true)])
        let fleet = try Fleet(stream, partitions: 4, server: server)
        try fleet.launch(shards: 2)
        let values = (0..<5000).map { #"{"n":\#($0)}"# }
        for partition in Int32(0)..<4 { try fleet.kafka.produce(values, to: fleet.topic, partition: partition) }
        try fleet.waitForRecords(1)
        try server.crash()
        let outage = Date.now
        // The length of the outage is what is tested.
        try fleet.wait("ten seconds", seconds: 20) { Date.now >= outage + 10 }
        let during = try fleet.waitForStatus("degraded") { !$0.healthy }
        #expect(during.shards.allSatisfy { $0.state == "running" && $0.restarts == 0 })
        try server.revive()
        let revived = Date.now
        try fleet.wait("the rest", seconds: 60) { (try? fleet.stored()) ?? 0 >= 20_000 }
        print("recovered \(String(format: "%.1f", Date.now.timeIntervalSince(revived))) s after Postgres was back")
        try fleet.expectExact(perPartition: 5000)
        try fleet.expectProven()
        let after = try fleet.waitForStatus("healthy") { $0.healthy }
        #expect(after.shards.allSatisfy { $0.restarts == 0 })
        fleet.signal(SIGTERM)
        #expect(fleet.waitForExit() == ExitCode.success.rawValue)
    }
}
