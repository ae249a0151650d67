package import Common
private import Postgres

/// The SQL of a stream's tables: how they are made and how a batch is written into them.
package struct StreamTable: Sendable {
    package let stream: StreamDefinition
    private let schema: MillraceSchema

    package init(_ stream: StreamDefinition, schema: MillraceSchema) {
        self.stream = stream
        self.schema = schema
    }

    private func quoted(_ name: String) -> String { Connection.identifier(name) }
    private func table(_ name: String) -> String { Connection.table(name) }
    private func list(_ names: [String]) -> String { names.map(quoted).joined(separator: ", ") }
    private var names: [String] { stream.columns.map(\.name) }
    private func definition(_ column: Column) -> String { "\(quoted(column.name)) \(column.type.rawValue)" }

    // MARK: Tables

    /// The DDL of the stream's tables. Safe to run again.
    package var createSQL: String {
        switch stream.mode {
        case .upsert, .increment: keyedTable(stream.table)
        case .append:
            """
            CREATE TABLE IF NOT EXISTS \(table(stream.table)) (
                \(stream.columns.map { definition($0) + ($0.required ? " NOT NULL" : "") }.joined(separator: ", ")),
                source_id int NOT NULL, source_offset bigint NOT NULL, PRIMARY KEY (source_id, source_offset));
            \(stream.latest ? keyedTable(stream.latestTable) : "")
            """
        }
    }

    /// A deleted row stays as a tombstone, so only the key's columns are never null. There is no index on what
    /// changes: it would end HOT updates.
    private func keyedTable(_ name: String) -> String {
        """
        CREATE TABLE IF NOT EXISTS \(table(name)) (
            \(stream.columns.map(definition).joined(separator: ", ")),
            source_id int NOT NULL, source_offset bigint NOT NULL, row_version bigint NOT NULL,
            deleted boolean NOT NULL DEFAULT false, PRIMARY KEY (\(list(stream.key)))) WITH (fillfactor = 50);
        """
    }

    /// What a session needs before it writes: the table into which a keyed batch is copied.
    package var sessionSQL: String {
        guard stream.isKeyed || stream.latest else { return "SELECT 1" }
        let sums = stream.increments.indices.map { "\(lowest($0)) bigint, " }.joined()
        return """
            CREATE TEMP TABLE IF NOT EXISTS \(stage) (\(stream.columns.map(definition).joined(separator: ", ")),
            source_id int, source_offset bigint, deleted boolean, \(sums)\(restarted) boolean) ON COMMIT DELETE ROWS;
            """
    }

    // The stage's own columns: no stream's can have their names (`ReservedNames`). Numbered, since a name behind a prefix
    // could be longer than Postgres takes.
    private func lowest(_ increment: Int) -> String { "millrace_lowest_\(increment)" }
    private var restarted: String { "millrace_restarted" }
    /// By a hash of the table's name, which with its schema may be longer than one name.
    private var stage: String { "millrace_stage_\(String(RecordChecksum.of(stream.table), radix: 16))" }

    // MARK: Writing

    /// Takes rows of the stream's columns, source_id and source_offset.
    package var copyRowsSQL: String {
        "COPY \(table(stream.table)) (\(list(names + ["source_id", "source_offset"]))) FROM STDIN (FORMAT binary)"
    }

    /// Raises MR003 when the table has triggers. It stands behind the rows' COPY, whose lock keeps anybody from adding some
    /// between the question and COMMIT.
    package var requirePlainSQL: String {
        "SELECT \(schema.name).require_plain(\(Connection.literal(table(stream.table)))::regclass)"
    }

    /// Raises MR004 when triggers kept out some of the rows that were sent.
    package func requireStoredSQL(_ spans: [FeedMessage.Span], count: Int64) -> String {
        let places = spans.map {
            "(source_id = \($0.source) AND source_offset >= \($0.from) AND source_offset < \($0.to))"
        }
        return """
            SELECT \(schema.name).require_stored((SELECT count(*) FROM \(table(stream.table))
                WHERE \(places.joined(separator: " OR "))), \(count))
            """
    }

    /// Takes one row a key: the columns, source_id, source_offset, deleted, the lowest prefix of each
    /// increment, and whether the row starts from nothing.
    package var copyStageSQL: String { "COPY pg_temp.\(stage) FROM STDIN (FORMAT binary)" }

    /// Moves what was staged into the keyed table and the change log. Returns the rows it wrote: the columns,
    /// source_id, source_offset, row_version, deleted.
    package var mergeStageSQL: String {
        stream.mode == .increment ? incrementSQL : upsertSQL
    }

    private var returned: String { list(names + ["source_id", "source_offset", "row_version", "deleted"]) }

    private var logged: String {
        let key = stream.key.map { "\(Connection.literal($0)), \(quoted($0))" }.joined(separator: ", ")
        return """
            INSERT INTO \(schema.name).change (source_id, source_offset, stream, key, row_version)
            SELECT source_id, source_offset, \(Connection.literal(stream.name)), jsonb_build_object(\(key)),
                row_version FROM written
            """
    }

    /// The newest record of a key is the row; within a source it never goes backwards. Raises MR004 when a trigger of a
    /// keyed stream's table kept out some of the rows; beside an append table, which has them all, a trigger may.
    private var upsertSQL: String {
        let table = table(stream.latest ? stream.latestTable : stream.table)
        let key = stream.key.map { "t.\(quoted($0)) = s.\(quoted($0))" }.joined(separator: " AND ")
        let columns = list(names + ["source_id", "source_offset", "deleted"])
        let values = names.filter { !stream.key.contains($0) } + ["source_id", "source_offset", "deleted"]
        let updates = values.map { "\(quoted($0)) = excluded.\(quoted($0))" }.joined(separator: ", ")
        return """
            WITH written AS (
                INSERT INTO \(table) AS t (\(columns), row_version) SELECT \(columns), 1 FROM pg_temp.\(stage)
                ON CONFLICT (\(list(stream.key))) DO UPDATE SET \(updates), row_version = t.row_version + 1
                WHERE t.source_id <> excluded.source_id OR t.source_offset < excluded.source_offset
                RETURNING t.*)
            """
                // Beside an append table nobody asks for the changes: the log has them.
                + (stream.latest
                    ? " SELECT count(*) FROM written"
                    : """
                    , logged AS (\(logged))
                     SELECT \(returned) FROM (SELECT CASE WHEN \(writtenCount) < \(stagedCount) THEN
                        \(schema.name).require_stored(\(writtenCount) + (
                            SELECT count(*) FROM pg_temp.\(stage) s JOIN \(table) t ON \(key)
                            WHERE t.source_id = s.source_id AND t.source_offset >= s.source_offset), \(stagedCount))
                        END) AS checked LEFT JOIN written ON true
                    """)
    }

    /// Adds sums to rows whose lowest value on the way stays above the minimum; raises MR002 when some don't.
    private var incrementSQL: String {
        let table = table(stream.table)
        let key = stream.key.map { "t.\(quoted($0)) = s.\(quoted($0))" }.joined(separator: " AND ")
        let updates = stream.columns.filter { !stream.key.contains($0.name) }.map { column in
            let name = quoted(column.name)
            guard stream.increments.contains(column.name) else {
                return "\(name) = CASE WHEN s.\(restarted) THEN s.\(name) ELSE coalesce(s.\(name), t.\(name)) END"
            }
            return "\(name) = CASE WHEN s.\(restarted) THEN 0 ELSE \(stored(column)) END + s.\(name)"
        }
        let bounds = stream.columns.compactMap { column -> String? in
            guard let place = stream.increments.firstIndex(of: column.name), let min = column.min else { return nil }
            let lowest = "s.\(lowest(place))"
            return "(\(lowest) IS NULL OR \(stored(column)) + \(lowest) >= \(min))"
        }
        return """
            INSERT INTO \(table) (\(list(stream.key)), source_id, source_offset, row_version)
                SELECT \(list(stream.key)), source_id, source_offset, 0 FROM pg_temp.\(stage) ON CONFLICT DO NOTHING;
            WITH written AS (
                UPDATE \(table) t SET \(updates.joined(separator: ", ")), source_id = s.source_id,
                    source_offset = s.source_offset, row_version = t.row_version + 1, deleted = s.deleted
                FROM pg_temp.\(stage) s WHERE \(([key] + bounds).joined(separator: " AND "))
                RETURNING t.*), logged AS (\(logged))
            SELECT \(returned) FROM (
                SELECT \(schema.name).\(bounds.isEmpty ? "require_stored" : "require_all")(\(writtenCount), \(stagedCount))
            ) AS checked LEFT JOIN written ON true
            """
    }

    private var writtenCount: String { "(SELECT count(*) FROM written)" }
    private var stagedCount: String { "(SELECT count(*) FROM pg_temp.\(stage))" }

    private func stored(_ column: Column) -> String {
        "CASE WHEN t.deleted THEN 0 ELSE coalesce(t.\(quoted(column.name)), 0) END"
    }
}
