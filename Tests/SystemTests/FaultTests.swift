import Common
import Foundation
import TestSupport
import Testing

/// Random faults with a seed. `make soak SEEDS=20` runs many, `MINUTES=30` as many as begin in that time; a seed that
/// fails is run again by `SEED=n`.
@Suite("Under faults", .serialized, .timeLimit(.minutes(FaultSettings.minutes + 60)))
struct FaultTests {
    @Test("Rows are exact, dead letters are the poison, nobody is left behind, whatever the seed")
    func seeded() throws {
        let end = Date.now + Double(FaultSettings.minutes * 60)
        var total = FaultReport()
        var seed = FaultSettings.seeds.lowerBound
        var count = 0
        while seed <= FaultSettings.seeds.upperBound || Date.now < end {
            let run = try FaultRun(seed: seed, kafka: TestKafka(), server: TestPostgres())
            let report = run.run(faults: 10)
            print("seed \(seed): \(run.mode.rawValue), \(report)")
            #expect(report.violations == [], "seed \(seed)")
            total += report
            seed += 1
            count += 1
        }
        print("total of \(count) seeds: \(total)")
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
