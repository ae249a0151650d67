import Common
import Foundation
import Postgres
import Schema

/// `millrace.member`: what each coordinator of a group says about itself. Nothing is decided by it: Kafka divides the
/// partitions, and the fence judges. Blocking: for a thread of its own.
struct MemberTable: ~Copyable {
    private let plan: GroupPlan
    private let schema: MillraceSchema
    /// Of the tables, as this program knows them.
    private let version: Int
    private var connection: Connection

    /// Of members that went without a word.
    private static let keptInterval = "1 hour"

    init(_ configuration: CoordinatorConfiguration, _ plan: GroupPlan) throws(PostgresError) {
        self.init(plan, configuration.schema, try Connection.open(parameters: configuration.postgres))
    }

    private init(_ plan: GroupPlan, _ schema: String, _ connection: consuming Connection) {
        self.plan = plan
        self.schema = MillraceSchema(name: schema)
        version = Migrations(schema: self.schema, streams: []).version
        self.connection = connection
    }

    /// - Parameter isFirst: in this coordinator's life: what was asked of the one before is not done in this one.
    /// - Returns: what the others said.
    mutating func exchange(_ report: MemberReport, ownsSchema: Bool, isFirst: Bool) throws -> HeardMembers {
        let begin = ContinuousClock.now
        let text = String(decoding: try JSONEncoder().encode(report), as: UTF8.self)
        let result = try connection.execute(
            """
            WITH own AS (
                INSERT INTO \(schema.name).member (name, group_name, owns_schema, version, report)
                VALUES (\(try connection.literal(plan.member)), \(try connection.literal(plan.name)), \(ownsSchema),
                    \(version), \(try connection.literal(text)))
                ON CONFLICT (name) DO UPDATE SET group_name = excluded.group_name, owns_schema = excluded.owns_schema,
                    version = excluded.version, report = excluded.report, seen_at = now()\(isFirst ? ", request = NULL" : "")),
            gone AS (DELETE FROM \(schema.name).member WHERE seen_at < now() - interval '\(Self.keptInterval)')
            SELECT name, owns_schema, extract(epoch FROM now() - seen_at)::float8, version, report
            FROM \(schema.name).member WHERE name <> \(try connection.literal(plan.member)) ORDER BY name
            """)[0]
        let sources = try connection.execute(
            """
            SELECT coalesce(md5(string_agg(id || ' ' || coalesce(paused_by, ''), ',' ORDER BY id)), '')
            FROM \(schema.name).source WHERE retired_at IS NULL
            """)[0].text(0, 0)!
        let claimed = try connection.execute(
            """
            SELECT s.id FROM \(schema.name).source s JOIN pg_stat_activity a ON a.pid = s.backend_pid
                AND coalesce(a.backend_start = s.backend_start, true) WHERE s.claim IS NOT NULL
            """)[0]
        let members = (0..<result.rowCount).compactMap { row -> Member? in
            guard let name = result.text(row, 0), let silence = result.text(row, 2).flatMap(Double.init),
                let version = result.integer(row, 3), let report = result.text(row, 4)
            else { return nil }
            return Member(
                name: name, ownsSchema: result.text(row, 1) == "t", silence: silence, version: Int(version),
                report: try? JSONDecoder().decode(MemberReport.self, from: Data(report.utf8)))
        }
        return HeardMembers(
            members: members, sources: sources,
            claimed: Set((0..<claimed.rowCount).map { SourceID(rawValue: Int32(claimed.integer($0, 0)!)) }), asOf: begin
        )
    }

    /// What others have asked of this one, once, in the order in which they did; nil for what this version can't read.
    mutating func takeRequests() throws(PostgresError) -> [MemberRequest?] {
        let own = try connection.literal(plan.member)
        let result = try connection.execute(
            """
            UPDATE \(schema.name).member m SET request = NULL
            FROM (SELECT request FROM \(schema.name).member WHERE name = \(own) AND request IS NOT NULL FOR UPDATE) AS asked
            WHERE m.name = \(own) RETURNING asked.request
            """)[0]
        guard result.rowCount > 0, let text = result.text(0, 0) else { return [] }
        return MemberRequest.decode(text)
    }

    /// This one has ended.
    mutating func forget() throws(PostgresError) {
        try connection.execute("DELETE FROM \(schema.name).member WHERE name = \(try connection.literal(plan.member))")
    }
}
