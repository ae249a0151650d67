import Common
import CoordinatorCore
import Foundation
import Testing

@Suite("Verify", .serialized, .timeLimit(.minutes(5)))
struct VerificationTests {
    private static let events = StreamDefinition(
        name: "events", topics: [], mode: .append, columns: [Column("n", .bigint, required: true, min: 0)])

    /// A fleet that has stored 200 records and rejected 10, and has stopped.
    private func finished() throws -> Fleet {
        let fleet = try Fleet(Self.events, partitions: 2)
        try fleet.launch(shards: 1)
        for partition in Int32(0)..<2 {
            try fleet.kafka.produce((0..<100).map { #"{"n":\#($0)}"# }, key: "k", to: fleet.topic, partition: partition)
            try fleet.kafka.produce((0..<5).map { _ in "poison" }, to: fleet.topic, partition: partition)
        }
        try fleet.waitForRecords(210)
        fleet.signal(SIGTERM)
        #expect(fleet.waitForExit() == ExitCode.success.rawValue)
        return fleet
    }

    @Test("What was stored is proven, shallow and deep")
    func proven() throws {
        let fleet = try finished()
        try fleet.expectProven()
        let findings = try fleet.verify(deep: false)
        #expect(findings.map(\.records) == [105, 105] && findings.map(\.rows) == [100, 100])
        #expect(findings.map(\.dead) == [5, 5] && findings.map(\.positions) == [0..<105, 0..<105])
    }

    @Test(
        "Each kind of damage is found, in the source where it is, and named by its offsets",
        arguments: [
            ("DELETE FROM events WHERE source_id = 1 AND n = 7", "0..<105: 100 rows in the ledger, 99 in events"),
            ("INSERT INTO events VALUES (1, 1, 104)", "0..<105: 100 rows in the ledger, 101 in events"),
            (
                "DELETE FROM millrace.dead_letter WHERE source_id = 1 AND source_offset = 100",
                "5 dead in the ledger, 4 dead letters"
            ),
            ("UPDATE millrace.source SET open_rows = 99 WHERE id = 1", "105 records, but 99 rows + 5 dead + 0 skipped"),
            ("UPDATE millrace.source SET open_from = 3 WHERE id = 1", "the ledger goes from 0 to 3"),
            ("UPDATE millrace.source SET open_checksum = open_checksum + 1 WHERE id = 1", "another checksum"),
            (
                "UPDATE millrace.source SET open_records = 104, open_rows = 99 WHERE id = 1; DELETE FROM events WHERE source_id = 1 AND n = 7",
                "104 records in the ledger, 105 in Kafka"
            ),
        ])
    func damage(sql: String, expected: String) throws {
        let fleet = try finished()
        for statement in sql.split(separator: ";") { try fleet.execute(String(statement)) }
        let findings = try fleet.verify(deep: true)
        #expect(findings[0].breaks.contains { $0.contains(expected) }, "\(findings[0].breaks)")
        #expect(findings[1].breaks == [])
    }
}
