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

    @Test("Rows of a stream that is not configured are not called proven in silence")
    func unconfigured() throws {
        let fleet = try finished()
        try fleet.execute("DELETE FROM events")
        for finding in try fleet.verify(deep: false, of: []) {
            #expect(finding.notComparable == ["its rows: no stream 'events' is configured here"])
        }
        #expect(try fleet.verify(deep: false)[0].breaks == ["0..<105: 100 rows in the ledger, 0 in events"])
    }

    @Test("What a keyed table had before it was taken over is of no source, and no break")
    func takenOver() throws {
        let fleet = try addedUp()
        func insert(_ sku: String, _ offset: Int) throws {
            try fleet.execute(
                """
                INSERT INTO stock (sku, quantity, source_id, source_offset, row_version, deleted)
                VALUES ('\(sku)', 5, 0, \(offset), 1, false)
                """)
        }
        try insert("old", -1)
        #expect(try fleet.verify(deep: false).flatMap(\.breaks) == [])
        try insert("stray", 7)
        #expect(try fleet.verify(deep: false)[0].breaks == ["1 rows in stock are of no source of the stream"])
    }

    private static let stock = StreamDefinition(
        name: "stock", topics: [], mode: .increment, key: ["sku"], increments: ["quantity"],
        columns: [Column("sku", .text, required: true), Column("quantity", .bigint, required: true, min: 0)])

    /// A fleet that has added up 60 records of 3 keys, with two dead letters of which one was replayed, and has stopped.
    private func addedUp() throws -> Fleet {
        let fleet = try Fleet(Self.stock, partitions: 2)
        try fleet.launch(shards: 1)
        // Refused until there is enough.
        try fleet.kafka.produce([#"{"sku":"b","quantity":-5}"#], key: "b", to: fleet.topic, partition: 1)
        try fleet.waitForRecords(1)
        for partition in Int32(0)..<2 {
            let values = (0..<30).map { #"{"sku":"\#(["a", "b", "c"][$0 % 3])","quantity":\#($0)}"# }
            try fleet.kafka.produce(values, key: "k", to: fleet.topic, partition: partition)
        }
        try fleet.kafka.produce(["poison"], key: "b", to: fleet.topic, partition: 0)
        try fleet.waitForRecords(62)
        try fleet.done("dlq", "replay", "--reason", "below_minimum")
        try fleet.wait("the replay") {
            try fleet.rows("SELECT count(*) FROM millrace.dead_letter WHERE replayed_at IS NOT NULL") == ["1"]
        }
        try fleet.stop()
        return fleet
    }

    @Test("What an increment stream's table adds up to is what its records do, key by key")
    func quantities() throws {
        let fleet = try addedUp()
        #expect(try fleet.rows("SELECT sku, quantity FROM stock ORDER BY sku") == ["a|270", "b|285", "c|310"])
        #expect(try fleet.verify(deep: true).flatMap { $0.breaks + $0.notComparable } == [])
        // Too much for one and too little for another is the same in all.
        try fleet.execute("UPDATE stock SET quantity = quantity + CASE sku WHEN 'a' THEN 1 WHEN 'b' THEN -1 ELSE 0 END")
        let swapped = try fleet.verify(deep: true)
        #expect(swapped[0].breaks == ["what the keys add up to: quantity 865 in stock, 865 in Kafka"])
        try fleet.execute("UPDATE stock SET quantity = quantity * 2")
        let doubled = try fleet.verify(deep: true)
        #expect(doubled[0].breaks == ["what the keys add up to: quantity 1730 in stock, 865 in Kafka"])
        #expect(try fleet.verify(deep: false).flatMap(\.breaks) == [])
    }

    @Test("Where not all records can be read again, or a row was deleted, sums are said not to be comparable")
    func notAddedUp() throws {
        let fleet = try addedUp()
        try fleet.kafka.produce([nil] as [[UInt8]?], key: Array("a".utf8), to: fleet.topic, partition: 0)
        try fleet.launch(shards: 1)
        try fleet.waitForRecords(64)
        try fleet.stop()
        let deleted = try fleet.verify(deep: true)
        #expect(deleted.flatMap(\.breaks) == [])
        #expect(
            deleted[0].notComparable == [
                "what its records add up to: offset 31 deletes a row",
                "what stock adds up to: not all records of source 1 can be read again",
            ])
    }
}
