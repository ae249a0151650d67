package import Common
package import Postgres
import Schema

/// Compares tables that are there with what their streams need, and says the DDL that would mend a difference: it can be
/// applied as it stands, in its order, and loses nothing. Where there is none, it says what to do instead.
///
/// A table may have more columns, if they are nullable or have defaults (delivery.md, Streams).
package struct TableCheck {
    private let streams: [StreamDefinition]
    private let addsColumns: Bool

    /// - Parameter addsColumns: adds nullable columns that are missing instead of reporting them.
    package init(_ streams: [StreamDefinition], addsColumns: Bool) {
        self.streams = streams
        self.addsColumns = addsColumns
    }

    struct Expected {
        var name: String
        var type: String
        var required: Bool
        /// For the rows that a keyed table has already: any record of a source is newer.
        var start: String?
    }

    /// One sentence a difference, with its DDL.
    package func run(on connection: inout Connection) throws(PostgresError) -> [String] {
        var differences: [String] = []
        for stream in streams {
            differences += try check(stream, stream.table, isKeyed: stream.isKeyed, &connection)
            if stream.latest { differences += try check(stream, stream.latestTable, isKeyed: true, &connection) }
        }
        return differences
    }

    /// What Postgres says against making the streams' tables, those that are there left out. Nothing is made: it is tried
    /// in a transaction that is rolled back.
    package func refusals(on connection: inout Connection) throws(PostgresError) -> [String] {
        var refusals: [String] = []
        for stream in streams {
            let table = StreamTable(stream, schema: MillraceSchema())
            do throws(PostgresError) {
                // For tables that are there it would ask for a right to make them.
                let create = try Migrations.hasTables(of: stream, on: &connection) ? "" : table.createSQL + ";"
                try connection.execute("BEGIN; \(create) \(table.sessionSQL); ROLLBACK")
            } catch {
                guard error.disposition != .outage else { throw error }
                refusals.append("stream '\(stream.name)': Postgres refuses its definition: \(error)")
            }
        }
        return refusals
    }

    /// What is no mistake, but should be known.
    package func notices(on connection: inout Connection) throws(PostgresError) -> [String] {
        var notices: [String] = []
        for stream in streams where !stream.isKeyed {
            let table = try connection.literal(Connection.table(stream.table))
            let found = try connection.execute(
                """
                SELECT string_agg(DISTINCT tgname, ', ') FROM pg_trigger
                WHERE (tgrelid = to_regclass(\(table)) OR tgrelid IN (SELECT relid FROM pg_partition_tree(to_regclass(\(table)))))
                    AND NOT tgisinternal AND tgenabled IN ('O', 'A') AND tgtype & 4 = 4
                """)[0]
            guard let names = found.text(0, 0) else { continue }
            notices.append(
                "stream \(stream.name): table \(stream.table) has triggers (\(names)): its feed is read back from the "
                    + "table after each batch, and rows that they keep out become dead letters")
        }
        return notices
    }

    private func check(
        _ stream: StreamDefinition, _ table: String, isKeyed: Bool, _ connection: inout Connection
    ) throws(PostgresError) -> [String] {
        let found = try FoundTable(table, &connection)
        guard found.exists else { return [] }
        let of = "table \(table) of stream '\(stream.name)': "
        let key = isKeyed ? stream.key : ["source_id", "source_offset"]
        if let reason = try found.obstacle(toKey: key, &connection) {
            let other = Connection.identifier(Connection.schemaAndTable(table).table + "_before")
            return [
                "\(of)it can't be taken over, since \(reason); keep it under another name (ALTER TABLE \(found.name) "
                    + "RENAME TO \(other);) and start again: Millrace makes the table, and a view can show both"
            ]
        }
        var expected = stream.columns.map {
            Expected(name: $0.name, type: $0.type.rawValue, required: $0.required && !isKeyed)
        }
        expected += [
            Expected(name: "source_id", type: "integer", required: true, start: "0"),
            Expected(name: "source_offset", type: "bigint", required: true, start: "-1"),
        ]
        if isKeyed {
            expected += [
                Expected(name: "row_version", type: "bigint", required: true, start: "1"),
                Expected(name: "deleted", type: "boolean", required: true, start: "false"),
            ]
        }
        var differences: [(what: String, ddl: String)] = []
        // Last, since a primary key that goes holds its columns NOT NULL.
        var loosened: [(what: String, ddl: String)] = []
        for column in expected {
            guard let there = found.columns[column.name] else {
                if let added = try add(column, to: found, key, &connection) { differences.append(added) }
                continue
            }
            differences += difference(column, there, found)
            // A tombstone of a keyed table has its key only.
            if !there.isNullable, !column.required, !key.contains(column.name) {
                loosened.append(
                    ("column '\(column.name)' is NOT NULL, but the stream's is not required", found.loosen(column.name))
                )
            }
        }
        let known = Set(expected.map(\.name))
        for (column, there) in found.columns.sorted(by: { $0.key < $1.key }) where !known.contains(column) {
            guard !there.isNullable, !there.hasDefault else { continue }
            loosened.append(
                ("column '\(column)' is not the stream's, and NOT NULL without a default", found.loosen(column)))
        }
        if found.primaryKey != key {
            let names = key.map(Connection.identifier).joined(separator: ", ")
            let drop = found.primaryKeyName.map { "DROP CONSTRAINT \(Connection.identifier($0)), " } ?? ""
            differences.append(
                (
                    "its primary key is not (\(key.joined(separator: ", ")))",
                    found.alter("\(drop)ADD PRIMARY KEY (\(names))")
                ))
        }
        return (differences + loosened).map { what, ddl in
            ddl.hasPrefix("ALTER") ? "\(of)\(what); mend it: \(ddl)" : "\(of)\(what); \(ddl)"
        }
    }

    private func add(
        _ column: Expected, to found: FoundTable, _ key: [String], _ connection: inout Connection
    ) throws(PostgresError) -> (String, String)? {
        var ddl = "ADD COLUMN \(Connection.identifier(column.name)) \(column.type)"
        if let start = column.start {
            ddl += " NOT NULL"
            if found.hasRows || column.name == "deleted" { ddl += " DEFAULT \(start)" }
        }
        guard addsColumns, !column.required else { return ("column '\(column.name)' is missing", found.alter(ddl)) }
        try connection.execute(found.alter(ddl))
        return nil
    }

    private func difference(
        _ column: Expected, _ there: FoundTable.Column, _ found: FoundTable
    ) -> [(String, String)] {
        let quoted = Connection.identifier(column.name)
        var differences: [(String, String)] = []
        let type = ColumnConversion.fullName(column.type)
        if there.isGenerated {
            differences.append(
                (
                    "column '\(column.name)' is generated by Postgres, which then takes no value for it",
                    found.alter("ALTER COLUMN \(quoted) DROP EXPRESSION")
                ))
        } else if there.isIdentity {
            differences.append(
                (
                    "column '\(column.name)' is an identity, which takes no value of a record's",
                    found.alter("ALTER COLUMN \(quoted) DROP IDENTITY")
                ))
        }
        if there.type != type {
            let what = "column '\(column.name)' is \(there.type), not \(type)"
            let conversion = ColumnConversion(from: there.type, to: type)
            differences.append(
                conversion.expression.map { expression in
                    (
                        what + conversion.note,
                        found.alter("ALTER COLUMN \(quoted) TYPE \(type) USING \(quoted)\(expression)")
                    )
                } ?? (what, conversion.advice))
        }
        return differences
    }
}
