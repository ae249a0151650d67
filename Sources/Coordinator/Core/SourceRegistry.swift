package import Common
package import Kafka
import Postgres
import Schema

/// Knows which sources there are: makes a row for each partition of the configured topics, resolves where a new
/// one starts, and retires those whose topic or cluster is another now. Blocking: for a thread of its own.
package struct SourceRegistry: ~Copyable {
    package struct Entry: Sendable, Equatable {
        package let id: SourceID
        package let stream: String
        package let partition: TopicPartition
    }

    private static let heldState = "MR003"

    private let configuration: CoordinatorConfiguration
    private let admin: Admin
    private var connection: Connection
    private let schema: MillraceSchema

    package init(_ configuration: CoordinatorConfiguration) throws(StartError) {
        let bootstrap = configuration.kafka["bootstrap.servers"] ?? ""
        let admin: Admin
        let connection: Connection
        do throws(KafkaError) { admin = try Admin(configuration.kafka) } catch {
            throw StartError("Kafka: \(error)", .configuration)
        }
        do throws(PostgresError) { connection = try Connection.open(parameters: configuration.postgres) } catch {
            throw StartError("Postgres: \(error)", error.disposition == .outage ? .unavailable : .configuration)
        }
        guard admin.clusterID() != nil else {
            throw StartError("Kafka at \(bootstrap) does not answer; check KAFKA_BOOTSTRAP_SERVERS", .unavailable)
        }
        self.admin = admin
        self.connection = connection
        self.configuration = configuration
        schema = MillraceSchema(name: configuration.schema)
    }

    /// Makes what is missing in the database, and keeps other fleets off the schema while this connection lives.
    /// - Returns: the highest generation that was ever assigned.
    package mutating func prepare() throws(StartError) -> Int64 {
        do throws(PostgresError) {
            let name = try connection.literal(schema.name)
            try lock(name)
            try Migrations(schema: schema, streams: configuration.streams).run(on: &connection)
            return try connection.execute("SELECT coalesce(max(generation), 0) FROM \(schema.name).source")[0].integer(
                0, 0)!
        } catch {
            let isHeld = error.sqlState == Self.heldState
            throw StartError(
                "Postgres: \(error)", isHeld || error.disposition == .outage ? .unavailable : .configuration,
                isHeldByAnother: isHeld)
        }
    }

    /// Waits a moment: the backend of a coordinator that was just killed has to notice.
    private mutating func lock(_ name: String) throws(PostgresError) {
        do throws(PostgresError) {
            try connection.execute(
                """
                SET lock_timeout = '3s'; SELECT pg_advisory_lock(hashtext('millrace fleet'), hashtext(\(name)));
                SET lock_timeout = 0
                """)
        } catch {
            guard error.sqlState == "55P03" else { throw error }
            throw try held(name)
        }
    }

    private mutating func held(_ name: String) throws(PostgresError) -> PostgresError {
        let holder = try connection.execute(
            """
            SELECT format('backend %s from %s', a.pid, coalesce(host(a.client_addr), 'this machine'))
            FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory'
            AND l.granted AND l.classid = hashtext('millrace fleet')::oid AND l.objid = hashtext(\(name))::oid
            """)[0]
        let who = holder.rowCount > 0 ? holder.text(0, 0) ?? "" : "another coordinator"
        return PostgresError(
            operation: "lock", sqlState: Self.heldState,
            message: "schema \(schema.name) is in use by another fleet (\(who)); stop it, or set MILLRACE_SCHEMA")
    }

    /// The sources as they are now. Safe to call again and again: a connection that was lost is made again, with the
    /// fleet's lock.
    /// - Throws: `StartError` when another fleet has taken the schema meanwhile, or a topic is missing.
    package mutating func discover() throws -> [Entry] {
        if connection.isLost {
            connection = try Connection.open(parameters: configuration.postgres)
            _ = try prepare()
        }
        guard let cluster = admin.clusterID() else {
            throw KafkaError(operation: "discover", code: -185, message: "no broker answered")
        }
        var counts = try admin.partitionCounts()
        for stream in configuration.streams {
            for topic in stream.topics where counts[topic] == nil {
                guard let partitions = configuration.createdPartitions else {
                    throw StartError(
                        "topic '\(topic)' of stream '\(stream.name)' does not exist; make it: kafka-topics.sh "
                            + "--create --topic \(topic) --partitions 8", .configuration)
                }
                try admin.createTopic(topic, partitions: partitions)
                counts[topic] = partitions
            }
        }
        var entries: [Entry] = []
        for stream in configuration.streams {
            for topic in stream.topics {
                let known = try rows(of: topic, cluster: cluster)
                for partition in 0..<(counts[topic] ?? 0) {
                    let place = TopicPartition(topic, partition)
                    let id = try register(
                        place, stream.name, cluster: cluster, known: known[partition], isNewTopic: known.isEmpty)
                    entries.append(Entry(id: id, stream: stream.name, partition: place))
                }
            }
        }
        return entries
    }

    private struct Row {
        let id: SourceID
        let nextOffset: Int64
    }

    /// The rows in force of a topic; those of another cluster are retired.
    private mutating func rows(of topic: String, cluster: String) throws(PostgresError) -> [Int32: Row] {
        let (topic, cluster) = (try connection.literal(topic), try connection.literal(cluster))
        try connection.execute(
            """
            UPDATE \(schema.name).source SET retired_at = now(), claim = NULL
            WHERE topic = \(topic) AND cluster_id <> \(cluster) AND retired_at IS NULL
            """)
        let result = try connection.execute(
            """
            SELECT partition, id, next_offset FROM \(schema.name).source
            WHERE topic = \(topic) AND cluster_id = \(cluster) AND retired_at IS NULL
            """)[0]
        var rows: [Int32: Row] = [:]
        for row in 0..<result.rowCount {
            rows[Int32(result.integer(row, 0)!)] = Row(
                id: SourceID(rawValue: Int32(result.integer(row, 1)!)),
                nextOffset: result.integer(row, 2)!)
        }
        return rows
    }

    private mutating func register(
        _ place: TopicPartition, _ stream: String, cluster: String, known: Row?, isNewTopic: Bool
    ) throws -> SourceID {
        let (low, high) = try admin.watermarks(place)
        if let known {
            guard high < known.nextOffset else { return known.id }
            // A broker may answer with another life of the topic for a moment: ask again before judging.
            let again = try admin.watermarks(place)
            guard again.high < known.nextOffset else { return known.id }
            try connection.execute(
                "UPDATE \(schema.name).source SET retired_at = now(), claim = NULL WHERE id = \(known.id)")
            return try insert(place, stream, cluster, start: again.low)
        }
        // Partitions that a known topic got later start at their beginning, whatever the first start was told.
        let start = isNewTopic && configuration.offsetReset == .latest ? high : low
        return try insert(place, stream, cluster, start: start)
    }

    private mutating func insert(
        _ place: TopicPartition, _ stream: String, _ cluster: String, start: Int64
    ) throws(PostgresError) -> SourceID {
        let values = [
            try connection.literal(stream), try connection.literal(cluster), try connection.literal(place.topic),
        ]
        let result = try connection.execute(
            """
            INSERT INTO \(schema.name).source (stream, cluster_id, topic, partition, incarnation, start_offset,
                next_offset, open_from) VALUES (\(values.joined(separator: ", ")), \(place.partition),
                (SELECT coalesce(max(incarnation), 0) + 1 FROM \(schema.name).source WHERE cluster_id = \(values[1])
                    AND topic = \(values[2]) AND partition = \(place.partition)), \(start), \(start), \(start))
            RETURNING id
            """)
        return SourceID(rawValue: Int32(result[0].integer(0, 0)!))
    }
}
