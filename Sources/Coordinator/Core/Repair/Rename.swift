package import Common
import Postgres
import Schema

/// Gives a stream another name: its sources, positions, dead letters and epoch go along. No fleet may run meanwhile.
package struct Rename: ~Copyable {
    private let schema: MillraceSchema
    private let stream: StreamDefinition
    private var connection: Connection

    /// - Parameter name: as the configuration has it now.
    package init(_ configuration: CoordinatorConfiguration, to name: String) throws(StartError) {
        guard let stream = configuration.streams.first(where: { $0.name == name }) else {
            let names = configuration.streams.map(\.name).joined(separator: ", ")
            throw StartError("the configuration has no stream '\(name)'; there are: \(names)", .usage)
        }
        let connection: Connection
        do throws(PostgresError) { connection = try Connection.open(parameters: configuration.postgres) } catch {
            throw StartError("Postgres: \(error)", .unavailable)
        }
        self.init(MillraceSchema(name: configuration.schema), stream, connection)
    }

    private init(_ schema: MillraceSchema, _ stream: StreamDefinition, _ connection: consuming Connection) {
        self.schema = schema
        self.stream = stream
        self.connection = connection
    }

    /// - Parameters:
    ///   - old: as the database has it.
    ///   - by: who, for the audit.
    /// - Returns: how many sources have a new name.
    package mutating func perform(from old: String, by: String) throws -> Int64 {
        let (before, after) = (try connection.literal(old), try connection.literal(stream.name))
        let known = try connection.execute(
            "SELECT definition ->> 'table' FROM \(schema.name).stream WHERE name = \(before)")[0]
        guard known.rowCount > 0 else { throw StartError("the database has no stream '\(old)'", .usage) }
        if let table = known.text(0, 0), table != stream.table {
            throw StartError(
                "stream '\(old)' fills the table \(table), and '\(stream.name)' has \(stream.table): give it "
                    + "\"table\": \"\(table)\" in the configuration", .configuration)
        }
        let taken = try connection.execute(
            "SELECT count(*) FROM \(schema.name).source WHERE stream = \(after)")[0].integer(0, 0)!
        guard taken == 0 else { throw StartError("stream '\(stream.name)' has sources of its own already", .usage) }
        let lock = "hashtext('millrace fleet'), hashtext(\(try connection.literal(schema.name)))"
        guard try connection.execute("SELECT pg_try_advisory_lock(\(lock))")[0].text(0, 0) == "t" else {
            throw StartError("a fleet runs on schema \(schema.name): stop it first", .unavailable)
        }
        let replay = (
            try connection.literal(ReplaySource.topic(of: old)),
            try connection.literal(ReplaySource.topic(of: stream.name))
        )
        try connection.execute(
            """
            BEGIN;
            DELETE FROM \(schema.name).stream WHERE name = \(after);
            UPDATE \(schema.name).stream SET name = \(after) WHERE name = \(before);
            UPDATE \(schema.name).source SET stream = \(after),
                topic = CASE topic WHEN \(replay.0) THEN \(replay.1) ELSE topic END WHERE stream = \(before);
            UPDATE \(schema.name).dead_letter SET stream = \(after) WHERE stream = \(before);
            UPDATE \(schema.name).change SET stream = \(after) WHERE stream = \(before);
            INSERT INTO \(schema.name).audit (actor, action, detail) VALUES (\(try connection.literal(by)), 'rename',
                jsonb_build_object('from', \(before)::text, 'to', \(after)::text));
            COMMIT
            """, timeout: .seconds(600))
        return try connection.execute(
            "SELECT count(*) FROM \(schema.name).source WHERE stream = \(after)")[0].integer(0, 0)!
    }
}
