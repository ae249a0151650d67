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

    /// Step n brings version n − 1 to n. Steps never change once released.
    private var steps: [String] { [schema.tablesSQL, schema.topicIDSQL, schema.begunBySQL] }

    /// All of it, for someone who makes the tables by hand.
    package var sql: String {
        ([firstSQL] + steps + [schema.functionsSQL] + streams.map { StreamTable($0, schema: schema).createSQL }).joined(
            separator: "\n")
    }

    /// What the steps themselves are counted in.
    private var firstSQL: String {
        """
        CREATE SCHEMA IF NOT EXISTS \(schema.name);
        CREATE TABLE IF NOT EXISTS \(schema.name).migration (version int PRIMARY KEY, at timestamptz NOT NULL DEFAULT now());
        """
    }

    /// Safe to run again, and by several at once.
    package func run(on connection: inout Connection) throws(PostgresError) {
        try connection.execute(
            """
            BEGIN;
            SELECT pg_advisory_xact_lock(hashtext('millrace migration'), hashtext(\(try connection.literal(schema.name))));
            \(firstSQL)
            """)
        do throws(PostgresError) {
            try runSteps(on: &connection)
            try connection.execute("COMMIT")
        } catch {
            // The first error is the one to tell; a connection that is gone has rolled back by itself.
            _ = try? connection.execute("ROLLBACK")
            throw error
        }
    }

    private func runSteps(on connection: inout Connection) throws(PostgresError) {
        let version = Int(
            try connection.execute("SELECT max(version) FROM \(schema.name).migration")[0].integer(0, 0) ?? 0)
        for (index, step) in steps.enumerated().dropFirst(version) {
            try connection.execute(step)
            try connection.execute("INSERT INTO \(schema.name).migration (version) VALUES (\(index + 1))")
        }
        try connection.execute(schema.functionsSQL)
        for stream in streams {
            do throws(PostgresError) {
                try connection.execute(StreamTable(stream, schema: schema).createSQL)
            } catch {
                throw PostgresError(
                    operation: "make the tables of stream '\(stream.name)'", sqlState: error.sqlState,
                    message: error.message, detail: error.detail, constraint: error.constraint)
            }
        }
        try store(streams, on: &connection)
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
            try connection.execute(
                """
                INSERT INTO \(schema.name).stream (name, definition) VALUES (\(name), \(text))
                ON CONFLICT (name) DO UPDATE SET definition = excluded.definition
                WHERE \(schema.name).stream.definition <> excluded.definition
                """)
        }
    }
}
