package import Common
package import Postgres
import Schema

/// What a person does with dead letters: look, have them replayed, throw their content away. Blocking.
///
/// Replays are only asked for here; a worker does them, through the fence (`ReplaySource`).
package struct DeadLetters: ~Copyable {
    /// Which letters; nil for any.
    package struct Filter: Sendable {
        package var ids: [Int64] = []
        package var stream: String?
        package var reason: String?
        /// As Postgres reads a timestamp; from it on, and before it.
        package var since: String?
        package var until: String?

        package init() {}
    }

    package struct Letter: Sendable, Codable, Equatable {
        package var id: Int64
        package var stream: String
        package var topic: String
        package var partition: Int32
        package var offset: Int64
        package var reasonCode: String
        package var reason: String
        package var failedAt: String
        package var recordTimestamp: String?
        /// `dead`, `requested`, `replayed` or `purged`.
        package var state: String
        /// Why the last replay was refused.
        package var replayReason: String?
        /// As text where they are UTF-8, else `\x…`; nil where there were none, or in a list.
        package var key: String?
        package var value: String?
        package var headers: String?
    }

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
        schema = MillraceSchema(name: configuration.schema)
        self.connection = connection
    }

    /// The newest first.
    /// - Parameter content: with key, value and headers.
    package mutating func list(_ filter: Filter, limit: Int, content: Bool = false) throws(PostgresError) -> [Letter] {
        let result = try connection.execute(
            """
            SELECT d.id, d.stream, s.topic, s.partition, d.source_offset, d.reason_code, d.reason,
                to_char(d.failed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                to_char(d.record_timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
                CASE WHEN d.purged_at IS NOT NULL THEN 'purged' WHEN d.replayed_at IS NOT NULL THEN 'replayed'
                    WHEN d.replay_requested_at IS NOT NULL THEN 'requested' ELSE 'dead' END,
                d.replay_reason\(content ? ", d.key, d.value, d.headers::text" : "")
            FROM \(schema.name).dead_letter d JOIN \(schema.name).source s ON s.id = d.source_id
            WHERE \(try condition(filter)) ORDER BY d.id DESC LIMIT \(limit)
            """)[0]
        return (0..<result.rowCount).map { row in
            Letter(
                id: result.integer(row, 0)!, stream: result.text(row, 1)!, topic: result.text(row, 2)!,
                partition: Int32(result.integer(row, 3)!), offset: result.integer(row, 4)!,
                reasonCode: result.text(row, 5)!, reason: result.text(row, 6)!, failedAt: result.text(row, 7)!,
                recordTimestamp: result.text(row, 8), state: result.text(row, 9)!,
                replayReason: result.text(row, 10), key: content ? Self.readable(result.text(row, 11)) : nil,
                value: content ? Self.readable(result.text(row, 12)) : nil,
                headers: content ? result.text(row, 13) : nil)
        }
    }

    /// Asks for letters to be replayed. Those that were replayed, purged or asked for already don't count.
    /// - Returns: how many were asked for.
    package mutating func requestReplay(_ filter: Filter, by: String) throws(PostgresError) -> Int64 {
        let actor = try connection.literal(by)
        let result = try connection.execute(
            """
            WITH asked AS (
                UPDATE \(schema.name).dead_letter d SET replay_requested_at = now(), replay_reason = NULL
                WHERE d.replayed_at IS NULL AND d.purged_at IS NULL AND d.replay_requested_at IS NULL
                    AND \(try condition(filter)) RETURNING d.stream),
            sources AS (
                INSERT INTO \(schema.name).source (stream, cluster_id, topic, partition, incarnation, start_offset,
                    next_offset, open_from)
                SELECT DISTINCT stream, '\(ReplaySource.cluster)', '\(ReplaySource.topic(of: ""))' || stream, 0, 1, 0, 0, 0
                FROM asked ON CONFLICT DO NOTHING),
            noted AS (
                INSERT INTO \(schema.name).audit (actor, action, detail)
                SELECT \(actor), 'replay', jsonb_build_object('stream', stream, 'letters', count(*)) FROM asked
                GROUP BY stream)
            SELECT count(*) FROM asked
            """, timeout: .seconds(600))
        return result[0].integer(0, 0) ?? 0
    }

    /// Throws away key, value and headers. The fact stays, since the ledger counts it: retention ends it.
    package mutating func purge(_ filter: Filter, by: String) throws(PostgresError) -> Int64 {
        let actor = try connection.literal(by)
        return try connection.execute(
            """
            WITH purged AS (
                UPDATE \(schema.name).dead_letter d SET key = NULL, value = NULL, headers = NULL, purged_at = now(),
                    replay_requested_at = NULL
                WHERE d.purged_at IS NULL AND \(try condition(filter)) RETURNING d.stream),
            noted AS (
                INSERT INTO \(schema.name).audit (actor, action, detail)
                SELECT \(actor), 'purge', jsonb_build_object('stream', stream, 'letters', count(*)) FROM purged
                GROUP BY stream)
            SELECT count(*) FROM purged
            """, timeout: .seconds(600))[0].integer(0, 0) ?? 0
    }

    private func condition(_ filter: Filter) throws(PostgresError) -> String {
        var parts = ["true"]
        if !filter.ids.isEmpty { parts.append("d.id IN (\(filter.ids.map(String.init).joined(separator: ",")))") }
        if let stream = filter.stream { parts.append("d.stream = \(try connection.literal(stream))") }
        if let reason = filter.reason { parts.append("d.reason_code = \(try connection.literal(reason))") }
        if let since = filter.since { parts.append("d.failed_at >= \(try connection.literal(since))::timestamptz") }
        if let until = filter.until { parts.append("d.failed_at < \(try connection.literal(until))::timestamptz") }
        return parts.joined(separator: " AND ")
    }

    /// - Parameter bytea: as Postgres prints it.
    private static func readable(_ bytea: String?) -> String? {
        guard let bytea, bytea.hasPrefix("\\x"), let value = HexBytes(bytea) else { return bytea }
        return String(validating: value.bytes, as: UTF8.self) ?? bytea
    }
}
