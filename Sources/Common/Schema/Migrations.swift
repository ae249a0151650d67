package import Common
import Foundation
package import Postgres

/// Brings a database to what this version needs: numbered steps, in one transaction, under an advisory lock.
package struct Migrations: Sendable {
    private let schema: MillraceSchema
    private let streams: [StreamDefinition]

    package init(schema: MillraceSchema, streams: [StreamDefinition]) {
        self.schema = schema
        self.streams = streams
    }

    /// Step n brings version n − 1 to n. Steps never change once released. The functions are a step like the others, and
    /// whole: who changes them moves them to the end, and leaves an empty step in their place. So the version says which
    /// functions are there, and an older program leaves newer ones alone.
    var steps: [String] {
        [
            schema.tablesSQL, schema.topicIDSQL, schema.begunBySQL, "", schema.changesFromSQL, schema.usersSQL, "",
            schema.membersSQL, schema.functionsSQL,
        ]
    }

    /// Those of the newest version.
    package var functions: String { schema.functionsSQL }

    /// What this program brings a database to.
    package var version: Int { steps.count }

    /// All of it, for someone who makes the tables by hand.
    package var sql: String {
        let made = steps.enumerated().map { index, step in "\(step)\n\(Self.count(index + 1, in: schema))" }
        let tables = streams.map { StreamTable($0, schema: schema).createSQL }
        return (["BEGIN;", schemaSQL, countingSQL] + made + tables + ["COMMIT;"]).joined(separator: "\n")
    }

    private var schemaSQL: String { "CREATE SCHEMA IF NOT EXISTS \(schema.name);" }

    /// What the steps themselves are counted in.
    private var countingSQL: String {
        """
        CREATE TABLE IF NOT EXISTS \(schema.name).migration (version int PRIMARY KEY, at timestamptz NOT NULL DEFAULT now());
        """
    }

    private static func count(_ version: Int, in schema: MillraceSchema) -> String {
        "INSERT INTO \(schema.name).migration (version) VALUES (\(version)) ON CONFLICT DO NOTHING;"
    }

    /// Safe to run again, and by several at once. Where all is there nothing is made, which a role may need no right for.
    package func run(on connection: inout Connection) throws(PostgresError) {
        try connection.execute(
            """
            BEGIN;
            SELECT pg_advisory_xact_lock(hashtext('millrace migration'), hashtext(\(try connection.literal(schema.name))));
            """)
        do throws(PostgresError) {
            try runSteps(on: &connection)
            try makeTables(on: &connection)
            try store(streams, on: &connection)
            try connection.execute("COMMIT")
        } catch {
            // The first error is the one to tell; a connection that is gone has rolled back by itself.
            _ = try? connection.execute("ROLLBACK")
            throw error
        }
    }

    /// The version that a database has; 0: none yet.
    package func found(on connection: inout Connection) throws(PostgresError) -> Int {
        guard try Self.exists("migration", in: schema.unquotedName, on: &connection) else { return 0 }
        return Int(
            try connection.execute("SELECT coalesce(max(version), 0) FROM \(schema.name).migration")[0].integer(0, 0)!)
    }

    private func runSteps(on connection: inout Connection) throws(PostgresError) {
        let version = try found(on: &connection)
        if version == 0 {
            if !(try Self.hasSchema(schema.unquotedName, on: &connection)) { try connection.execute(schemaSQL) }
            try connection.execute(countingSQL)
        }
        for (index, step) in steps.enumerated().dropFirst(version) {
            if !step.isEmpty { try connection.execute(step) }
            try connection.execute(Self.count(index + 1, in: schema))
        }
    }

    private func makeTables(on connection: inout Connection) throws(PostgresError) {
        for stream in streams {
            do throws(PostgresError) {
                guard try !Self.hasTables(of: stream, on: &connection) else { continue }
                try connection.execute(StreamTable(stream, schema: schema).createSQL)
            } catch {
                throw PostgresError(
                    operation: "make the tables of stream '\(stream.name)'", sqlState: error.sqlState,
                    message: error.message, detail: error.detail, constraint: error.constraint)
            }
        }
    }

    package static func hasTables(
        of stream: StreamDefinition, on connection: inout Connection
    ) throws(PostgresError) -> Bool {
        for table in ([stream.table] + (stream.latest ? [stream.latestTable] : [])).map(Connection.schemaAndTable) {
            guard try exists(table.table, in: table.schema, on: &connection) else { return false }
        }
        return true
    }

    /// Asked of the catalog, which everybody may read: `to_regclass` needs rights to the schema.
    package static func exists(
        _ table: String, in schema: String, on connection: inout Connection
    ) throws(PostgresError) -> Bool {
        try connection.execute(
            """
            SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = \(try connection.literal(schema)) AND c.relname = \(try connection.literal(table))
            """)[0].rowCount > 0
    }

    package static func hasSchema(_ name: String, on connection: inout Connection) throws(PostgresError) -> Bool {
        try connection.execute(
            "SELECT FROM pg_catalog.pg_namespace WHERE nspname = \(try connection.literal(name))")[0].rowCount > 0
    }

    /// The definitions in force, where edges and people read them. A stream keeps its epoch.
    private func store(_ streams: [StreamDefinition], on connection: inout Connection) throws(PostgresError) {
        for stream in streams {
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            guard let definition = try? encoder.encode(stream) else { continue }
            let (name, text) = (
                try connection.literal(stream.name), try connection.literal(String(decoding: definition, as: UTF8.self))
            )
            let same = try connection.execute(
                "SELECT FROM \(schema.name).stream WHERE name = \(name) AND definition = \(text)::jsonb")[0]
            guard same.rowCount == 0 else { continue }
            try connection.execute(
                """
                INSERT INTO \(schema.name).stream (name, definition) VALUES (\(name), \(text))
                ON CONFLICT (name) DO UPDATE SET definition = excluded.definition
                """)
        }
    }
}
