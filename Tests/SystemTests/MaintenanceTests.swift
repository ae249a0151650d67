import Common
import CoordinatorCore
import Foundation
import TestSupport
import Testing

@Suite("Tables over time", .serialized, .timeLimit(.minutes(5)))
struct MaintenanceTests {
    private func finished(_ stream: StreamDefinition, _ values: [String], key: String? = nil) throws -> Fleet {
        let fleet = try Fleet(stream, partitions: 1)
        try fleet.kafka.produce(values, key: key, to: fleet.topic)
        try fleet.launch(shards: 1)
        try fleet.waitForRecords(Int64(values.count))
        fleet.signal(SIGTERM)
        #expect(fleet.waitForExit() == ExitCode.success.rawValue)
        return fleet
    }

    @Test("Folding keeps every sum and the chain, also where checksums run over")
    func folding() throws {
        let stream = StreamDefinition(
            name: "events", topics: [], mode: .append, columns: [Column("n", .bigint, required: true)])
        let fleet = try finished(stream, (0..<1000).map { #"{"n":\#($0)}"# })
        try fleet.cutLedger(every: 100, hoursAgo: 24 * 8)
        // Sums that wrap around, down and up: the whole is still what it was.
        try fleet.execute(
            """
            UPDATE millrace.ledger SET checksum = 9223372036854775807 WHERE from_offset IN (100, 200);
            UPDATE millrace.ledger SET checksum = checksum + 0 WHERE from_offset = 0;
            UPDATE millrace.ledger SET checksum = 2 WHERE from_offset = 300
            """)
        #expect(try fleet.verify(deep: false)[0].breaks == [])
        #expect(try fleet.done("retain").contains("9 ledger entries folded"))
        #expect(
            try fleet.rows("SELECT from_offset, to_offset, records, rows FROM millrace.ledger") == ["0|1000|1000|1000"])
        // 2 × (2⁶³ − 1) + 2 = 2⁶⁴: nothing is added.
        try fleet.expectProven()
        #expect(try fleet.done("retain").contains("0 ledger entries folded"))
    }

    @Test("Rows older than the retention go with their ledger entries, and verify respects it")
    func retention() throws {
        var stream = StreamDefinition(
            name: "events", topics: [], mode: .append, columns: [Column("n", .bigint, required: true)])
        stream.retain = RetentionPeriod("2h")
        let fleet = try finished(stream, (0..<1000).map { #"{"n":\#($0)}"# })
        try fleet.cutLedger(every: 100, hoursAgo: 24)
        try fleet.execute("UPDATE millrace.ledger SET closed_at = now() WHERE from_offset >= 700")
        #expect(try fleet.done("retain").hasPrefix("700 rows"))
        #expect(try fleet.rows("SELECT count(*), min(n) FROM events") == ["300|700"])
        #expect(try fleet.rows("SELECT retained_from FROM millrace.source") == ["700"])
        #expect(try fleet.verify(deep: false)[0].breaks == [])
        #expect(try fleet.done("retain").hasPrefix("0 rows"))
        try fleet.execute("DELETE FROM events WHERE n = 800")
        #expect(try fleet.command("verify").code == ExitCode.found.rawValue)
    }

    @Test("Changes of keyed rows and tombstones go when they are old enough")
    func changes() throws {
        var stream = BuiltInStreams.all()[1]
        stream.retain = RetentionPeriod("2h")
        let fleet = try finished(stream, (0..<10).map { #"{"sku":"s\#($0)","quantity":1}"# })
        try fleet.execute("UPDATE stocks SET deleted = true WHERE sku < 's3'")
        try fleet.cutLedger(every: 5, hoursAgo: 30)
        #expect(try fleet.done("retain").hasPrefix("0 rows, 3 tombstones and 10 changes"))
        #expect(try fleet.rows("SELECT count(*) FROM stocks") == ["7"])
    }

    @Test(
        "A table that differs is told with the DDL that mends it, and missing nullable columns are added when asked for"
    )
    func differences() throws {
        let stream = StreamDefinition(
            name: "events", topics: [], mode: .append,
            columns: [Column("n", .bigint, required: true), Column("t", .text), Column("u", .uuid)])
        let fleet = try Fleet(stream, partitions: 1)
        try fleet.execute(
            "CREATE TABLE events (n int NOT NULL, more text NOT NULL, fine text, source_id int, source_offset bigint, t text NOT NULL)"
        )
        let output = try fleet.command("init-db")
        #expect(output.code == ExitCode.configuration.rawValue)
        for expected in [
            "column 'n' is integer, not bigint; mend it: ALTER TABLE \"public\".\"events\" ALTER COLUMN \"n\" TYPE bigint",
            "column 't' is NOT NULL, but the stream's is not required", "column 'u' is missing",
            "column 'more' is not the stream's, and NOT NULL without a default",
            "its primary key is not (source_id, source_offset)",
        ] { #expect(output.errors.contains(expected), "\(expected) is not in \(output.errors)") }
        // What it says mends it.
        for line in output.errors.split(separator: "\n") where !line.contains("'u' is missing") {
            try fleet.execute(String(line[line.range(of: "mend it: ")!.upperBound...]))
        }
        #expect(try fleet.command("check").errors.contains("column 'u' is missing"))
        try fleet.done("init-db", "--allow-add-columns")
        try fleet.kafka.produce([#"{"n":1,"t":"x"}"#], to: fleet.topic)
        try fleet.launch(shards: 1)
        try fleet.wait("the row") { try fleet.rows("SELECT n, t, more, u FROM events") == ["1|x|-|-"] }
    }
}
