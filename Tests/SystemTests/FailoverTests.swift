import Common
import CoordinatorCore
import Foundation
import TestSupport
import Testing

@Suite("A Postgres with a standby", .serialized, .timeLimit(.minutes(5)))
struct FailoverTests {
    private static let events = StreamDefinition(
        name: "events", topics: [], mode: .append,
        columns: [Column("n", .bigint, required: true), Column("p", .integer, required: true)])
    private static let partitions: Int32 = 4

    @Test(
        "The primary dies under load and the standby is promoted: what it never had is read from Kafka again, nothing is doubled"
    )
    func failover() throws {
        let primary = try TestPostgres(settings: ["wal_level": "replica"])
        let fleet = try Fleet(Self.events, partitions: Self.partitions, server: primary)
        let standby = try TestStandby(of: primary)
        let (first, second) = (fleet.postgres, standby.parameters(database: fleet.postgres["dbname"]!))
        fleet.postgres["host"] = "\(first["host"]!),\(second["host"]!)"
        fleet.postgres["port"] = "\(first["port"]!),\(second["port"]!)"
        // Of what libpq tries one after another, the one that takes writes (Postgres documentation, 32.1.2).
        fleet.postgres["target_session_attrs"] = "read-write"
        try fleet.launch(shards: 2)
        let edge = try EdgeUnderTest(fleet, name: "one")
        let followers = try LogFollowers(fleet, [edge], steady: 2)
        let load = LoadGenerator(fleet.kafka, topic: fleet.topic, partitions: Self.partitions, rate: 500)
        try fleet.waitForRecords(5000)

        // A standby that is behind, as an asynchronous one may be.
        try standby.cutOff()
        let behind = try fleet.stored()
        try fleet.waitForRecords(behind + 3000)
        let committed = try fleet.stored()
        try primary.crash()
        let crashed = ContinuousClock.now
        try standby.promote()
        // The first statement is one on the old connection.
        try fleet.wait("the new primary") { (try? fleet.stored()) != nil }
        try fleet.waitForRecords(committed + 4000)
        print(
            "figure: \(committed - behind) records or more were committed and are gone; all of them and 4,000 others were stored "
                + "\(ContinuousClock.now - crashed) after the crash")

        let perPartition = try load.stop()
        let total = perPartition * Int(Self.partitions)
        try fleet.waitForRecords(Int64(total))
        try followers.expectAll(fleet, perPartition: perPartition)
        print(
            "figure: \(total) rows to each client, in \(followers.steady.map(\.subscriptions.count)) subscriptions, \(followers.resets)"
        )
        #expect(try fleet.stored() == Int64(total))
        try fleet.expectExact(perPartition: perPartition)
        try fleet.expectProven()
        try fleet.stop()
    }
}
