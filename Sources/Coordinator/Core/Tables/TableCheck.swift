import Common
import Postgres
import Schema

/// Compares tables that are there with what their streams need, and says the DDL that would mend a difference.
///
/// A table may have more columns, if they are nullable or have defaults (delivery.md, Streams).
struct TableCheck {
    private let streams: [StreamDefinition]
    private let addsColumns: Bool

    /// - Parameter addsColumns: adds nullable columns that are missing instead of reporting them.
    init(_ streams: [StreamDefinition], addsColumns: Bool) {
        self.streams = streams
        self.addsColumns = addsColumns
    }

    private struct Found {
        var type: String
        var isNullable: Bool
        var hasDefault: Bool
    }

    /// One sentence a difference, with its DDL.
    func run(on connection: inout Connection) throws(PostgresError) -> [String] {
        var differences: [String] = []
        for stream in streams {
            differences += try check(stream, stream.table, isKeyed: stream.isKeyed, &connection)
            if stream.latest { differences += try check(stream, stream.latestTable, isKeyed: true, &connection) }
        }
        return differences
    }

    private func check(
        _ stream: StreamDefinition, _ table: String, isKeyed: Bool, _ connection: inout Connection
    ) throws(PostgresError) -> [String] {
        let found = try columns(of: table, &connection)
        let name = Connection.table(table)
        var differences: [String] = []
        func report(_ what: String, _ ddl: String) {
            differences.append("table \(table) of stream '\(stream.name)': \(what); mend it: \(ddl)")
        }
        var expected = stream.columns.map { (name: $0.name, type: $0.type.rawValue, required: $0.required) }
        expected += [("source_id", "integer", true), ("source_offset", "bigint", true)]
        if isKeyed { expected += [("row_version", "bigint", true), ("deleted", "boolean", true)] }
        for column in expected {
            let quoted = Connection.identifier(column.name)
            let type = Self.fullName(column.type)
            guard let there = found[column.name] else {
                let ddl = "ALTER TABLE \(name) ADD COLUMN \(quoted) \(column.type)"
                guard addsColumns, !column.required else {
                    report("column '\(column.name)' is missing", ddl + ";")
                    continue
                }
                try connection.execute(ddl)
                continue
            }
            if there.type != type {
                report(
                    "column '\(column.name)' is \(there.type), not \(type)",
                    "ALTER TABLE \(name) ALTER COLUMN \(quoted) TYPE \(type) USING \(quoted)::\(type);")
            }
            if !there.isNullable, !column.required {
                report(
                    "column '\(column.name)' is NOT NULL, but the stream's is not required",
                    "ALTER TABLE \(name) ALTER COLUMN \(quoted) DROP NOT NULL;")
            }
        }
        let known = Set(expected.map(\.name))
        for (column, there) in found.sorted(by: { $0.key < $1.key }) where !known.contains(column) {
            guard !there.isNullable, !there.hasDefault else { continue }
            report(
                "column '\(column)' is not the stream's, and NOT NULL without a default",
                "ALTER TABLE \(name) ALTER COLUMN \(Connection.identifier(column)) DROP NOT NULL;")
        }
        let key = isKeyed ? stream.key : ["source_id", "source_offset"]
        if try primaryKey(of: table, &connection) != key {
            report(
                "its primary key is not (\(key.joined(separator: ", ")))",
                "ALTER TABLE \(name) ADD PRIMARY KEY (\(key.map(Connection.identifier).joined(separator: ", ")));")
        }
        return differences
    }

    /// As `information_schema` calls it.
    private static func fullName(_ type: String) -> String {
        type == ColumnType.timestamp.rawValue ? "timestamp with time zone" : type
    }

    private func columns(of table: String, _ connection: inout Connection) throws(PostgresError) -> [String: Found] {
        let name = Connection.schemaAndTable(table)
        let result = try connection.execute(
            """
            SELECT column_name, data_type, is_nullable = 'YES', column_default IS NOT NULL OR is_identity = 'YES'
                OR is_generated = 'ALWAYS'
            FROM information_schema.columns
            WHERE table_schema = \(try connection.literal(name.schema)) AND table_name = \(try connection.literal(name.table))
            """)[0]
        var found: [String: Found] = [:]
        for row in 0..<result.rowCount {
            found[result.text(row, 0)!] = Found(
                type: result.text(row, 1)!, isNullable: result.text(row, 2) == "t",
                hasDefault: result.text(row, 3) == "t")
        }
        return found
    }

    private func primaryKey(of table: String, _ connection: inout Connection) throws(PostgresError) -> [String] {
        let result = try connection.execute(
            """
            SELECT a.attname FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (number, place)
            JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
            WHERE i.indisprimary
                AND i.indrelid = to_regclass(\(try connection.literal(Connection.table(table))))
            ORDER BY k.place
            """)[0]
        return (0..<result.rowCount).map { result.text($0, 0)! }
    }
}
