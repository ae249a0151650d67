package import Common
import Postgres

extension SourceRegistry {
    /// Keeps sources from being assigned, until they are resumed; a restart changes nothing about it. Those that are
    /// stopped stay so: only a reset helps them.
    ///
    /// - Parameter by: who, or what for: shown in `status`.
    /// - Returns: the sources concerned; none when there is no such stream or topic.
    package mutating func pause(_ target: PauseTarget, by: String) throws -> [SourceID] {
        try setPaused(target, try connection.literal(by), action: "pause", by: by)
    }

    package mutating func resume(_ target: PauseTarget, by: String) throws -> [SourceID] {
        try setPaused(target, "NULL", action: "resume", by: by)
    }

    /// Pauses the one source whose record kills workers.
    package mutating func quarantine(_ place: InFlightRecord.Place) throws {
        try reconnect()
        let reason = try connection.literal("quarantine: record \(place.offset) was in hand when workers died")
        try connection.execute(
            "UPDATE \(schema.name).source SET paused_by = \(reason) WHERE id = \(place.source)")
        try audit("quarantine", by: "coordinator", "source \(place.source), offset \(place.offset)")
    }

    private mutating func setPaused(
        _ target: PauseTarget, _ value: String, action: String, by: String
    ) throws -> [SourceID] {
        try reconnect()
        let name = try connection.literal(target.name)
        let partition = target.partition.map { "AND partition = \($0)" } ?? ""
        let where_ = target.partition.map { "\(target.name):\($0)" } ?? target.name
        let result = try connection.execute(
            """
            WITH changed AS (UPDATE \(schema.name).source SET paused_by = \(value)
            WHERE retired_at IS NULL AND (stream = \(name) OR topic = \(name)) \(partition)
                AND coalesce(paused_by NOT LIKE '\(SourceHold.stoppedPrefix)%', true) RETURNING id),
            noted AS (INSERT INTO \(schema.name).audit (actor, action, detail)
                SELECT \(try connection.literal(by)), '\(action)', to_jsonb(\(try connection.literal(where_))::text)
                WHERE EXISTS (SELECT FROM changed))
            SELECT id FROM changed
            """)[0]
        return (0..<result.rowCount).map { SourceID(rawValue: Int32(result.integer($0, 0)!)) }
    }

    /// Who did what, and to what.
    package mutating func audit(_ action: String, by: String, _ detail: String) throws {
        try reconnect()
        try connection.execute(
            """
            INSERT INTO \(schema.name).audit (actor, action, detail) VALUES (\(try connection.literal(by)),
                \(try connection.literal(action)), to_jsonb(\(try connection.literal(detail))::text))
            """)
    }
}
