package import Common
package import Kafka
import Postgres
import Schema

/// Lets a stream begin anew, somewhere else: each partition of its topics gets a new source that starts there, and the one
/// before is retired, also when that was another stream's. A fleet may run meanwhile: the fence keeps what still holds the
/// retired ones from writing.
///
/// Going forward skips records, which are never stored. Going back reads records again, and what that means depends
/// on the stream's mode:
/// - upsert: each key ends at its newest record again. Safe.
/// - append: records would be rows twice, and
/// - increment: would count twice. So it is refused, unless it is asked for (`again`), or, for append, what is read
///   again is deleted first (`replace`).
package struct Reset: ~Copyable {
    package enum Destination: Sendable, Equatable {
        case earliest, latest
        /// Where it stands: for a topic that another stream had, or a log that has lost its end.
        case current
        case offset(Int64)
        /// The first record of that time or later; milliseconds since 1970.
        case time(Int64)
    }

    package enum Replay: Sendable {
        case refused, again, replace
    }

    /// What happens to one partition.
    package struct Step: Sendable, Equatable, Encodable {
        package var source: SourceID
        package var partition: TopicPartition
        /// Where it stands, and where it will.
        package var from: Int64
        package var to: Int64
        /// Where Kafka's log ends: what lay behind is no longer there.
        package var end: Int64
        /// The stream that had the topic, when it is another one.
        package var before: String?
        package var isStopped: Bool
        /// Kafka has no such partition: it is retired, and nothing begins.
        package var isGone: Bool
        /// Offsets that are read again into the same table, or that are skipped. Holes count.
        package var again: Int64 { before == nil ? max(0, min(from, end) - to) : 0 }
        package var skipped: Int64 { max(0, to - from) }
        /// Rows and dead letters that are there from `to` on.
        package var rows: Int64
        package var deadLetters: Int64
    }

    private let configuration: CoordinatorConfiguration
    private let stream: StreamDefinition
    private let schema: MillraceSchema
    private let admin: Admin
    private var connection: Connection

    package init(_ configuration: CoordinatorConfiguration, stream name: String) throws(StartError) {
        guard let stream = configuration.streams.first(where: { $0.name == name }) else {
            let names = configuration.streams.map(\.name).joined(separator: ", ")
            throw StartError("there is no stream '\(name)'; there are: \(names)", .usage)
        }
        let admin: Admin
        let connection: Connection
        do throws(KafkaError) { admin = try Admin(configuration.kafka) } catch {
            throw StartError("Kafka: \(error)", .configuration)
        }
        do throws(PostgresError) { connection = try Connection.open(parameters: configuration.postgres) } catch {
            throw StartError("Postgres: \(error)", .unavailable)
        }
        self.init(configuration, stream, admin, connection)
    }

    private init(
        _ configuration: CoordinatorConfiguration, _ stream: StreamDefinition, _ admin: consuming Admin,
        _ connection: consuming Connection
    ) {
        self.configuration = configuration
        self.stream = stream
        schema = MillraceSchema(name: configuration.schema)
        self.admin = admin
        self.connection = connection
    }

    /// What a reset would do. Changes nothing.
    package mutating func plan(_ destination: Destination) throws -> [Step] {
        guard let cluster = admin.clusterID() else {
            throw StartError("Kafka does not answer; check KAFKA_BOOTSTRAP_SERVERS", .unavailable)
        }
        // Names of topics have no character that an array's text would need quoted (Kafka: [a-zA-Z0-9._-]).
        let list = stream.topics.joined(separator: ",")
        let result = try connection.execute(
            """
            SELECT id, topic, partition, next_offset, stream, coalesce(paused_by LIKE '\(SourceHold.stoppedPrefix)%', false)
            FROM \(schema.name).source
            WHERE topic = ANY ('{\(list)}') AND retired_at IS NULL AND cluster_id = \(try connection.literal(cluster))
            ORDER BY topic, partition
            """)[0]
        var steps: [Step] = []
        for row in 0..<result.rowCount {
            let id = SourceID(rawValue: Int32(result.integer(row, 0)!))
            let place = TopicPartition(result.text(row, 1)!, Int32(result.integer(row, 2)!))
            let from = result.integer(row, 3)!
            let before = result.text(row, 4).flatMap { $0 == stream.name ? nil : $0 }
            guard let (low, high) = try admin.watermarksIfThere(place) else {
                steps.append(
                    Step(
                        source: id, partition: place, from: from, to: from, end: from, before: before, isStopped: false,
                        isGone: true, rows: 0, deadLetters: 0))
                continue
            }
            let to =
                switch destination {
                case .earliest: low
                case .latest: high
                case .current: min(max(from, low), high)
                case .offset(let offset): min(max(offset, low), high)
                case .time(let time): try admin.offset(of: place, at: time) ?? high
                }
            let within = within(id, from: to)
            let rows = stream.isKeyed || before != nil ? 0 : try count(Connection.table(stream.table), within)
            steps.append(
                Step(
                    source: id, partition: place, from: from, to: to, end: high, before: before,
                    isStopped: result.text(row, 5) == "t", isGone: false, rows: rows,
                    deadLetters: try count("\(schema.name).dead_letter", within)))
        }
        return steps
    }

    /// A source and those before it of the same partition, as far as the topic's id tells that it is the same.
    private func lives(of id: SourceID) -> String {
        """
        SELECT o.id FROM \(schema.name).source o JOIN \(schema.name).source s ON s.id = \(id) AND (o.id = s.id
            OR (o.cluster_id, o.topic, o.topic_id, o.partition) = (s.cluster_id, s.topic, s.topic_id, s.partition))
        """
    }

    private func within(_ id: SourceID, from offset: Int64) -> String {
        "source_id IN (\(lives(of: id))) AND source_offset >= \(offset)"
    }

    private mutating func count(_ table: String, _ condition: String) throws(PostgresError) -> Int64 {
        try connection.execute("SELECT count(*) FROM \(table) WHERE \(condition)", timeout: .seconds(600))[0]
            .integer(0, 0)!
    }

    /// Does it, all partitions or none.
    ///
    /// - Parameter by: who, for the audit.
    /// - Throws: `StartError` when records would count twice and nobody asked for it.
    package mutating func perform(_ destination: Destination, replay: Replay = .refused, by: String) throws -> [Step] {
        let steps = try plan(destination).filter { $0.from != $0.to || $0.isStopped || $0.isGone || $0.before != nil }
        try check(steps, replay)
        if replay == .replace { try requireNoReplays(steps) }
        guard !steps.isEmpty else { return [] }
        let name = try connection.literal(stream.name)
        var sql = "BEGIN;\n"
        for step in steps {
            guard !step.isGone else {
                sql += "UPDATE \(schema.name).source SET retired_at = now(), claim = NULL WHERE id = \(step.source);\n"
                continue
            }
            sql += """
                SELECT \(schema.name).reset_source(\(step.source), \(step.to), \(step.to >= step.from), \(replay == .replace));
                UPDATE \(schema.name).source n SET stream = \(name), begun_by = 'reset',
                    paused_by = CASE WHEN n.paused_by LIKE '\(SourceHold.stoppedPrefix)%' THEN NULL ELSE n.paused_by END
                FROM \(schema.name).source o WHERE o.id = \(step.source) AND n.retired_at IS NULL
                    AND (n.cluster_id, n.topic, n.partition) = (o.cluster_id, o.topic, o.partition);

                """
            if replay == .replace, step.to < step.from {
                let within = within(step.source, from: step.to)
                sql += """
                    UPDATE \(schema.name).source SET replaced_from = least(replaced_from, \(step.to))
                        WHERE id IN (\(lives(of: step.source))) AND retired_at IS NOT NULL AND next_offset > \(step.to);
                    DELETE FROM \(Connection.table(stream.table)) WHERE \(within);
                    UPDATE \(schema.name).dead_letter SET replay_requested_at = NULL WHERE \(within);

                    """
            }
        }
        let detail = steps.map { "\($0.partition) \($0.from) to \($0.to)" }.joined(separator: ", ")
        sql += """
            UPDATE \(schema.name).stream SET epoch = gen_random_uuid()
                WHERE name = \(name);
            INSERT INTO \(schema.name).audit (actor, action, detail) VALUES (\(try connection.literal(by)), 'reset',
                jsonb_build_object('stream', \(name)::text,
                'partitions', \(try connection.literal(detail))::text, 'replay', '\(replay)'));
            COMMIT
            """
        try connection.execute(sql, timeout: .seconds(600))
        return steps
    }

    /// Rows of replayed dead letters are not told from each other: they would be there beside those that are read again.
    private mutating func requireNoReplays(_ steps: [Step]) throws {
        for step in steps where step.again > 0 {
            let letters = "\(schema.name).dead_letter"
            let count = try count(letters, "\(within(step.source, from: step.to)) AND replayed_at IS NOT NULL")
            guard count > 0 else { continue }
            throw StartError(
                "\(count) dead letters of \(step.partition) from \(step.to) on were replayed: their rows can't be replaced; "
                    + "begin behind them, or use --again", .usage)
        }
    }

    private func check(_ steps: [Step], _ replay: Replay) throws(StartError) {
        let again = steps.reduce(0) { $0 + $1.again }
        guard again > 0 else { return }
        switch (stream.mode, replay) {
        case (.upsert, .replace), (.increment, .replace):
            throw StartError(
                "stream '\(stream.name)' has no rows of its own a record: replacing is for append streams", .usage)
        case (.append, .refused):
            throw StartError(
                "\(again) offsets of stream '\(stream.name)' would be read again and be rows twice; "
                    + "--replace deletes their rows first, --again keeps both", .usage)
        case (.increment, .refused):
            throw StartError(
                "\(again) offsets of stream '\(stream.name)' would be added up a second time; --again does it", .usage)
        case (.upsert, _), (.append, _), (.increment, .again): break
        }
    }
}
