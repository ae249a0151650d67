import Common
import Postgres

/// What keeps the tables in order while a fleet runs: retention, and a ledger that doesn't grow for ever.
extension SourceRegistry {
    package struct Maintained: Sendable, Equatable {
        /// Rows deleted, of streams' tables.
        package var rows: Int64 = 0
        package var changes: Int64 = 0
        package var tombstones: Int64 = 0
        /// Ledger rows that were folded into others.
        package var folded: Int64 = 0
        /// It stopped at its bound: there is more to do.
        package var hasMore = false
    }

    /// Ledger entries of a round: each is a transaction.
    private static let entryLimit = 50
    private static let changeLimit = 100_000

    /// One bounded round.
    package mutating func maintain() throws -> Maintained {
        try reconnect()
        var done = Maintained()
        for stream in configuration.streams {
            try trimChanges(stream, &done)
            guard let retain = stream.retain else { continue }
            if stream.mode == .append {
                try retainRows(stream, retain, &done)
            } else {
                try retainKeys(stream, retain, &done)
            }
        }
        let folded = try connection.execute(
            "SELECT \(schema.name).fold_ledger(interval '\(configuration.foldAfter.seconds) seconds')",
            timeout: .seconds(600))
        done.folded = folded[0].integer(0, 0) ?? 0
        return done
    }

    /// Deletes the rows of whole ledger entries that were closed long enough ago, and says in the same transaction
    /// from where on rows are there: verify and resume respect it.
    private mutating func retainRows(
        _ stream: StreamDefinition, _ period: RetentionPeriod, _ done: inout Maintained
    ) throws(PostgresError) {
        let name = try connection.literal(stream.name)
        let entries = try connection.execute(
            """
            SELECT l.source_id, l.from_offset, l.to_offset FROM \(schema.name).ledger l
            JOIN \(schema.name).source s ON s.id = l.source_id
            WHERE s.stream = \(name) AND l.closed_at < now() - interval '\(period.seconds) seconds'
                AND l.to_offset > coalesce(s.retained_from, s.start_offset)
            ORDER BY l.source_id, l.from_offset LIMIT \(Self.entryLimit)
            """)[0]
        for row in 0..<entries.rowCount {
            let (id, from, to) = (entries.integer(row, 0)!, entries.integer(row, 1)!, entries.integer(row, 2)!)
            let within = "source_id = \(id) AND source_offset >= \(from) AND source_offset < \(to)"
            let deleted = try connection.execute(
                """
                BEGIN; DELETE FROM \(schema.name).dead_letter WHERE \(within) AND replayed_at IS NULL;
                WITH gone AS (DELETE FROM \(Connection.table(stream.table)) WHERE \(within) RETURNING 1)
                SELECT count(*) FROM gone;
                -- Last, since a worker's transactions wait for this row.
                UPDATE \(schema.name).source SET retained_from = \(to) WHERE id = \(id); COMMIT
                """, timeout: .seconds(600))
            done.rows += deleted[0].integer(0, 0) ?? 0
        }
        if entries.rowCount == Self.entryLimit { done.hasMore = true }
    }

    /// A keyed row stays while it is there; the tombstones of deleted ones go.
    private mutating func retainKeys(
        _ stream: StreamDefinition, _ period: RetentionPeriod, _ done: inout Maintained
    ) throws(PostgresError) {
        done.tombstones += try delete(
            Connection.table(stream.table), where: "t.deleted", stream, period)
    }

    /// The change log is for resuming: what is older than that takes a snapshot.
    private mutating func trimChanges(_ stream: StreamDefinition, _ done: inout Maintained) throws(PostgresError) {
        guard stream.isKeyed || stream.latest else { return }
        let name = try connection.literal(stream.name)
        let count = try delete(
            "\(schema.name).change", where: "t.stream = \(name)", stream, configuration.keepChanges,
            also: """
                UPDATE \(schema.name).source s SET changes_from = greatest(s.changes_from, g.up_to)
                FROM (SELECT source_id, max(source_offset) + 1 AS up_to FROM gone GROUP BY source_id) g
                WHERE s.id = g.source_id RETURNING s.id
                """)
        done.changes += count
        if count == Self.changeLimit { done.hasMore = true }
    }

    /// Deletes what came in ledger entries that were closed before a period.
    ///
    /// - Parameter also: a statement that has what was deleted as `gone`.
    private mutating func delete(
        _ table: String, where condition: String, _ stream: StreamDefinition, _ period: RetentionPeriod,
        also: String = "SELECT 1"
    ) throws(PostgresError) -> Int64 {
        let name = try connection.literal(stream.name)
        return try connection.execute(
            """
            WITH old AS (
                SELECT s.id, max(l.to_offset) AS up_to FROM \(schema.name).ledger l
                JOIN \(schema.name).source s ON s.id = l.source_id
                WHERE s.stream = \(name) AND l.closed_at < now() - interval '\(period.seconds) seconds' GROUP BY s.id),
            gone AS (
                DELETE FROM \(table) WHERE ctid = ANY (ARRAY(
                    SELECT t.ctid FROM \(table) t JOIN old ON old.id = t.source_id
                        AND t.source_offset < old.up_to
                    WHERE \(condition) LIMIT \(Self.changeLimit))) RETURNING source_id, source_offset),
            noted AS (\(also))
            SELECT count(*) FROM gone
            """, timeout: .seconds(600))[0].integer(0, 0) ?? 0
    }
}
