package import Common
import Kafka
import Postgres
import Schema

/// Proves from the ledger that every record was stored, rejected with a reason, or skipped, once.
///
/// Reads one snapshot (REPEATABLE READ) and changes nothing; a fleet may run meanwhile. Kafka is read after the snapshot, so
/// that nothing old is kept in Postgres while that takes its time. Blocking.
package struct Verification: ~Copyable {
    /// A source's result: one line.
    package struct Finding: Sendable, Equatable, Encodable {
        package var source: SourceID
        package var partition: String
        package var positions: Range<Int64>
        package var records: Int64
        package var rows: Int64
        package var dead: Int64
        package var skipped: Int64
        /// Breaks, each naming its offsets. None: proven.
        package var breaks: [String] = []
        /// What couldn't be compared with Kafka, and why.
        package var notComparable: [String] = []
    }

    struct Entry {
        var positions: Range<Int64>
        var records: Int64
        var rows: Int64
        var dead: Int64
        var skipped: Int64
        var checksum: UInt64
    }

    let configuration: CoordinatorConfiguration
    private let schema: MillraceSchema
    private var connection: Connection

    package init(_ configuration: CoordinatorConfiguration) throws(StartError) {
        do throws(PostgresError) {
            self.init(configuration, try Connection.open(parameters: configuration.postgres))
        } catch {
            throw StartError("Postgres: \(error)", .unavailable)
        }
    }

    private init(_ configuration: CoordinatorConfiguration, _ connection: consuming Connection) {
        self.configuration = configuration
        schema = MillraceSchema(name: configuration.schema)
        self.connection = connection
    }

    /// A source and what its ledger says.
    struct Account {
        var record: SourceRecord
        var entries: [Entry]
        var finding: Finding
        /// Of an increment stream: what its records in Kafka add up to, once all of them were read again.
        var quantities: Quantities?
    }

    /// - Parameter deep: also read Kafka again, and compare count and checksum of each ledger entry.
    package mutating func run(deep: Bool = false) throws -> [Finding] {
        var (accounts, stored) = try readSnapshot(addingUp: deep)
        if deep { try compareWithKafka(&accounts, stored) }
        return accounts.map(\.finding)
    }

    private mutating func readSnapshot(addingUp: Bool) throws -> (accounts: [Account], stored: [StoredQuantities]) {
        try connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        defer { _ = try? connection.execute("ROLLBACK") }
        let records = try SourceRecord.all(schema, on: &connection)
        var accounts: [Account] = []
        for record in records {
            let (start, next) = (record.start, record.next)
            var finding = Finding(
                source: record.id, partition: record.place.description, positions: start..<max(start, next), records: 0,
                rows: 0, dead: 0, skipped: 0)
            if next < start { finding.breaks.append("next_offset \(next) lies before start_offset \(start)") }
            let entries = try entries(of: record.id)
            check(entries, next: next, &finding)
            let stream = configuration.streams.first { $0.name == record.stream }
            if stream == nil, finding.rows > 0 {
                finding.notComparable.append("its rows: no stream '\(record.stream)' is configured here")
            }
            try checkTables(entries, stream, from: record.retainedFrom ?? start, to: record.replacedFrom, &finding)
            try checkStrays(record, stream, &finding)
            record.compare(with: records, &finding)
            if record.isReplay { try checkReplays(record.stream, &finding) }
            accounts.append(Account(record: record, entries: entries, finding: finding))
        }
        try checkOwners(records, &accounts)
        return (accounts, addingUp ? try StoredQuantities.all(configuration.streams, schema, on: &connection) : [])
    }

    /// The closed entries and the open one, in their order.
    private mutating func entries(of id: SourceID) throws(PostgresError) -> [Entry] {
        let result = try connection.execute(
            """
            SELECT from_offset, to_offset, records, rows, dead, skipped, checksum FROM \(schema.name).ledger
                WHERE source_id = \(id)
            UNION ALL SELECT open_from, next_offset, open_records, open_rows, open_dead, open_skipped, open_checksum
                FROM \(schema.name).source WHERE id = \(id) AND (next_offset > open_from OR open_records > 0)
            ORDER BY 1, 2
            """)[0]
        return (0..<result.rowCount).map { row in
            let (from, to) = (result.integer(row, 0)!, result.integer(row, 1)!)
            return Entry(
                positions: from..<max(from, to), records: result.integer(row, 2)!, rows: result.integer(row, 3)!,
                dead: result.integer(row, 4)!, skipped: result.integer(row, 5)!,
                checksum: UInt64(bitPattern: result.integer(row, 6)!))
        }
    }

    /// The entries chain from the source's start to its next offset, and each adds up.
    private func check(_ entries: [Entry], next: Int64, _ finding: inout Finding) {
        var expected = finding.positions.lowerBound
        for entry in entries {
            let positions = entry.positions
            if positions.lowerBound != expected {
                finding.breaks.append("the ledger goes from \(expected) to \(positions.lowerBound)")
            }
            expected = positions.upperBound
            if entry.records != entry.rows + entry.dead + entry.skipped {
                finding.breaks.append(
                    "\(positions): \(entry.records) records, but \(entry.rows) rows + \(entry.dead) dead + \(entry.skipped) skipped"
                )
            }
            if entry.records > positions.count {
                finding.breaks.append("\(positions): \(entry.records) records in \(positions.count) offsets")
            }
            finding.records += entry.records
            finding.rows += entry.rows
            finding.dead += entry.dead
            finding.skipped += entry.skipped
        }
        if expected != next { finding.breaks.append("the ledger ends at \(expected), next_offset is \(next)") }
    }

    /// Append rows and dead letters are there, entry by entry. Keyed rows are sums of records and can't be counted.
    ///
    /// - Parameters:
    ///   - retained: what lies before was deleted by retention.
    ///   - replaced: from there on a reset has deleted the rows; later sources read those records again.
    private mutating func checkTables(
        _ entries: [Entry], _ stream: StreamDefinition?, from retained: Int64, to replaced: Int64?,
        _ finding: inout Finding
    ) throws(PostgresError) {
        if let replaced, let stream, !stream.isKeyed {
            let left = try count(
                Connection.table(stream.table), "source_id = \(finding.source) AND source_offset >= \(replaced)")
            if left > 0 { finding.breaks.append("\(left) rows from \(replaced) on, which a reset has replaced") }
        }
        for entry in entries where entry.positions.lowerBound >= retained {
            let within = """
                source_id = \(finding.source) AND source_offset >= \(entry.positions.lowerBound)
                    AND source_offset < \(entry.positions.upperBound)
                """
            let dead = try count("\(schema.name).dead_letter", within)
            if dead != entry.dead {
                finding.breaks.append("\(entry.positions): \(entry.dead) dead in the ledger, \(dead) dead letters")
            }
            guard let stream, !stream.isKeyed, entry.positions.upperBound <= replaced ?? .max else { continue }
            let rows = try count(Connection.table(stream.table), within)
            if rows != entry.rows {
                finding.breaks.append(
                    "\(entry.positions): \(entry.rows) rows in the ledger, \(rows) in \(stream.table)")
            }
        }
    }

    /// No row is of a source, but of offsets that it never came to.
    private mutating func checkStrays(
        _ record: SourceRecord, _ stream: StreamDefinition?, _ finding: inout Finding
    ) throws(PostgresError) {
        guard let stream, !stream.isKeyed else { return }
        let strays = try count(
            Connection.table(stream.table),
            "source_id = \(record.id) AND (source_offset < \(record.start) OR source_offset >= \(record.next))")
        if strays > 0 {
            finding.breaks.append("\(strays) rows in \(stream.table) of offsets outside of \(finding.positions)")
        }
    }

    /// Each row of a stream's tables is of a source of that stream; a keyed one also of an offset that it has come to. What
    /// breaks is told with the first source, since it has none of its own.
    private mutating func checkOwners(_ records: [SourceRecord], _ accounts: inout [Account]) throws(PostgresError) {
        for stream in configuration.streams {
            // Also of sources that have another stream by now: their rows stay.
            let owners = records.filter { $0.stream == stream.name || stream.topics.contains($0.place.topic) }
            guard let first = accounts.firstIndex(where: { $0.record.stream == stream.name }) else { continue }
            var tables: [(String, isKeyed: Bool)] = [(stream.table, stream.isKeyed)]
            if stream.latest { tables.append((stream.latestTable, true)) }
            for (table, isKeyed) in tables {
                // An append table's key begins with the source: what lies between the known ones is looked up, not scanned.
                let condition =
                    isKeyed
                    // What was there when a table was taken over is of no source, and its new columns say so.
                    ? """
                    (source_id, source_offset) <> (0, -1) AND NOT EXISTS (SELECT 1 FROM \(schema.name).source s WHERE s.id = source_id AND source_offset < s.next_offset)
                    """ : Self.between(owners.map(\.id.rawValue).sorted())
                let strays = try count(Connection.table(table), condition)
                guard strays > 0 else { continue }
                accounts[first].finding.breaks.append("\(strays) rows in \(table) are of no source of the stream")
            }
        }
    }

    private static func between(_ ids: [Int32]) -> String {
        let gaps = zip(ids, ids.dropFirst()).filter { $1 - $0 > 1 }.map { "source_id > \($0) AND source_id < \($1)" }
        return (["source_id < \(ids[0])"] + gaps + ["source_id > \(ids[ids.count - 1])"]).map { "(\($0))" }
            .joined(separator: " OR ")
    }

    /// Each replay is a dead letter that is marked so.
    private mutating func checkReplays(_ stream: String, _ finding: inout Finding) throws(PostgresError) {
        let marked = try count(
            "\(schema.name).dead_letter", "stream = \(try connection.literal(stream)) AND replayed_at IS NOT NULL")
        if marked != finding.rows {
            finding.breaks.append(
                "\(finding.rows) replays in the ledger, \(marked) dead letters are marked as replayed")
        }
    }

    private mutating func count(_ table: String, _ condition: String) throws(PostgresError) -> Int64 {
        try connection.execute("SELECT count(*) FROM \(table) WHERE \(condition)", timeout: .seconds(3600))[0]
            .integer(0, 0)!
    }
}
