package import Common
import Kafka
import Postgres
import Schema

/// Proves from the ledger that every record was stored, rejected with a reason, or skipped, once.
///
/// Reads one snapshot (REPEATABLE READ) and changes nothing; a fleet may run meanwhile. Blocking.
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

    private let configuration: CoordinatorConfiguration
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

    /// - Parameter deep: also read Kafka again, and compare count and checksum of each ledger entry.
    package mutating func run(deep: Bool = false) throws -> [Finding] {
        try connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        defer { _ = try? connection.execute("ROLLBACK") }
        let sources = try connection.execute(
            """
            SELECT id, stream, topic, partition, start_offset, next_offset, retained_from, retired_at IS NOT NULL,
                replaced_from
            FROM \(schema.name).source ORDER BY id
            """)[0]
        var findings: [Finding] = []
        for row in 0..<sources.rowCount {
            let id = SourceID(rawValue: Int32(sources.integer(row, 0)!))
            let place = TopicPartition(sources.text(row, 2)!, Int32(sources.integer(row, 3)!))
            let (start, next) = (sources.integer(row, 4)!, sources.integer(row, 5)!)
            var finding = Finding(
                source: id, partition: place.description, positions: start..<max(start, next), records: 0, rows: 0,
                dead: 0, skipped: 0)
            if next < start { finding.breaks.append("next_offset \(next) lies before start_offset \(start)") }
            let entries = try entries(of: id)
            check(entries, next: next, &finding)
            let stream = configuration.streams.first { $0.name == sources.text(row, 1) }
            try checkTables(
                entries, stream, from: sources.integer(row, 6) ?? start, to: sources.integer(row, 8), &finding)
            if ReplaySource.isOne(topic: place.topic) {
                try checkReplays(sources.text(row, 1)!, &finding)
            } else if deep {
                if sources.text(row, 7) == "t" {
                    finding.notComparable.append("\(start)..<\(next): the source is retired")
                } else {
                    try compare(entries, with: place, &finding)
                }
            }
            findings.append(finding)
        }
        return findings
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

    /// Nil when there is no such partition.
    private func watermarks(
        _ place: TopicPartition, _ admin: borrowing Admin
    ) throws(KafkaError) -> (low: Int64, high: Int64)? {
        do throws(KafkaError) { return try admin.watermarks(place) } catch {
            guard error.isUnknownPartition else { throw error }
            return nil
        }
    }

    private func compare(_ entries: [Entry], with place: TopicPartition, _ finding: inout Finding) throws {
        guard let end = entries.last?.positions.upperBound, end > entries[0].positions.lowerBound else { return }
        let admin = try Admin(configuration.kafka)
        guard let (low, high) = try watermarks(place, admin) else {
            finding.breaks.append("Kafka has no \(place), but records up to \(end) were stored: another topic?")
            return
        }
        if end > high {
            finding.breaks.append("\(place) ends at \(high), but records up to \(end) were stored: another topic?")
            return
        }
        let comparable = entries.filter { $0.positions.lowerBound >= low && !$0.positions.isEmpty }
        for entry in entries where entry.positions.lowerBound < low && !entry.positions.isEmpty {
            finding.notComparable.append("\(entry.positions): Kafka holds \(place) from \(low) on")
        }
        guard !comparable.isEmpty else { return }
        let seen = try Recount(configuration.kafka, place).count(comparable.map(\.positions))
        let hasFewer = zip(comparable, seen).contains { $1.records < $0.records }
        let isCompacted = try hasFewer && admin.isCompacted(place.topic)
        for (entry, seen) in zip(comparable, seen) {
            if isCompacted, seen.records < entry.records {
                finding.notComparable.append(
                    "\(entry.positions): Kafka has compacted \(place.topic), \(seen.records) of \(entry.records) records are left"
                )
            } else if seen.records != entry.records {
                finding.breaks.append(
                    "\(entry.positions): \(entry.records) records in the ledger, \(seen.records) in Kafka")
            } else if seen.checksum != entry.checksum {
                finding.breaks.append("\(entry.positions): the records in Kafka have another checksum")
            }
        }
    }
}
