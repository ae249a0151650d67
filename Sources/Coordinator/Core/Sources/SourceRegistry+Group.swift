import Common
import Foundation
import Kafka
import Postgres
import Schema

/// One of a group's coordinators owns the schema: it alone makes rows for what Kafka has and keeps the tables in order. The others
/// read what it wrote, and take over when its session is gone.
extension SourceRegistry {
    /// Postgres ends the session of a host that is cut off, and its lock with it, after so many seconds without a word.
    /// And within 2 s that of one whose connection has ended while a statement runs (Postgres 14).
    private static let keepaliveSQL = """
        SET tcp_keepalives_idle = 4; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3; SET tcp_user_timeout = 10000;
        SELECT set_config(name, '2000', false) FROM pg_settings WHERE name = 'client_connection_check_interval'
        """

    /// Two groups would each have all partitions, and take them from one another without end: whoever comes first writes down whose the
    /// schema is. One query, so one transaction (Postgres documentation, Multiple Statements in a Simple Query).
    mutating func enterGroup() throws(PostgresError) {
        guard let plan = configuration.group else { return }
        let (group, name) = (try connection.literal(plan.name), try connection.literal(schema.name))
        let others = """
            FROM \(schema.name).member WHERE group_name <> \(group)
                AND seen_at > now() - interval '\(Int(Member.silenceLimit)) seconds'
            """
        let report = String(decoding: (try? JSONEncoder().encode(MemberReport())) ?? Data(), as: UTF8.self)
        let found = try connection.execute(
            """
            SELECT pg_advisory_xact_lock(hashtext('millrace group'), hashtext(\(name)));
            INSERT INTO \(schema.name).member (name, group_name, owns_schema, version, report)
            SELECT \(try connection.literal(plan.member)), \(group), false,
                \(Migrations(schema: schema, streams: []).version), \(try connection.literal(report))::jsonb
            WHERE NOT EXISTS (SELECT \(others))
            ON CONFLICT (name) DO UPDATE SET group_name = excluded.group_name, seen_at = now();
            SELECT group_name, name \(others) LIMIT 1
            """)
        guard let other = found.last, other.rowCount > 0, let group = other.text(0, 0), let member = other.text(0, 1)
        else { return }
        throw PostgresError(
            operation: "lock", sqlState: Self.heldState,
            message:
                "schema \(schema.name) is in use by group \(group) (\(member)), and this is to be of group \(plan.name)"
        )
    }

    mutating func tryToOwn() throws(PostgresError) -> Bool {
        let name = try connection.literal(schema.name)
        return try connection.execute(
            "\(Self.keepaliveSQL); SELECT pg_try_advisory_lock(hashtext('millrace owner'), hashtext(\(name)))"
        )
        .last?.text(0, 0) == "t"
    }

    /// Takes over if nobody owns the schema now; true when this one does.
    mutating func takeOver() throws -> Bool {
        if !ownsSchema, try tryToOwn() {
            ownsSchema = true
            notices.append("this coordinator owns schema \(schema.name) now")
        }
        return ownsSchema
    }

    /// They look once a second. Who is not there, or does not look, is told of in a notice.
    mutating func ask(_ members: [String], _ request: MemberRequest) throws {
        try reconnect()
        let text = String(decoding: try JSONEncoder().encode(request), as: UTF8.self)
        let names = try members.map { name throws(PostgresError) in try connection.literal(name) }
        let asked = try connection.execute(
            """
            UPDATE \(schema.name).member SET request = coalesce(request, '[]') || jsonb_build_array(
                \(try connection.literal(text))::jsonb)
            WHERE name IN (\(names.joined(separator: ", ")))
                AND coalesce(jsonb_array_length(request), 0) < \(MemberRequest.waitingLimit) RETURNING name
            """)[0]
        let found = Set((0..<asked.rowCount).compactMap { asked.text($0, 0) })
        for name in members where !found.contains(name) {
            notices.append("host \(name) could not be asked: it is not there, or takes nothing")
        }
    }

    /// What the owner has written.
    mutating func follow() throws -> Found {
        var found = Found()
        found.ownsSchema = false
        let cluster: String
        if let known = self.cluster {
            cluster = known
        } else {
            cluster = try look().cluster
            let check = try ClusterCheck(configuration: configuration).run(cluster, isNew: false, on: &connection)
            if check.isElsewhere || check.isMoved { throw StartError(check.text, .configuration) }
            self.cluster = cluster
        }
        let names = try configuration.streams.map { stream throws(PostgresError) in try connection.literal(stream.name)
        }
        let result = try connection.execute(
            """
            SELECT id, stream, topic, partition, next_offset, paused_by FROM \(schema.name).source
            WHERE retired_at IS NULL AND stream IN (\(names.joined(separator: ", ")))
                AND cluster_id IN (\(try connection.literal(cluster)), '\(ReplaySource.cluster)')
            """)[0]
        for row in 0..<result.rowCount {
            found.entries.append(
                Entry(
                    id: SourceID(rawValue: Int32(result.integer(row, 0)!)), stream: result.text(row, 1)!,
                    partition: TopicPartition(result.text(row, 2)!, Int32(result.integer(row, 3)!)),
                    nextOffset: result.integer(row, 4)!, hold: result.text(row, 5).map { SourceHold(stored: $0) }))
        }
        let places = Dictionary(found.entries.map { ($0.partition, $0.id) }) { $1 }
        // The owner has found the topic made again.
        found.remade = Set(followed.filter { place, id in places[place].map { $0 != id } ?? false }.values)
        followed = places
        return found
    }
}
