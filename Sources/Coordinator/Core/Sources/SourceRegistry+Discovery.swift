import Common
import Glibc
import Kafka
import Postgres

extension SourceRegistry {
    /// The sources as they are now. Safe to call again and again: a connection that was lost is made again, with the
    /// fleet's lock.
    ///
    /// - Parameter checking: also ask Kafka whether the partitions that are known are still the same ones.
    /// - Throws: `StartError` when another fleet has taken the schema meanwhile, or a topic is missing.
    package mutating func discover(checking: Bool = true) throws -> [Entry] {
        try reconnect()
        guard let cluster = admin.clusterID() else {
            throw KafkaError(operation: "discover", code: -185, message: "no broker answered")
        }
        var counts = try admin.partitionCounts()
        var made: Set<String> = []
        for stream in configuration.streams {
            for topic in stream.topics where counts[topic] == nil {
                guard let partitions = configuration.createdPartitions else {
                    throw StartError(
                        "topic '\(topic)' of stream '\(stream.name)' does not exist; make it: kafka-topics.sh "
                            + "--create --topic \(topic) --partitions 8", .configuration)
                }
                try admin.createTopic(topic, partitions: partitions)
                made.insert(topic)
            }
        }
        if !made.isEmpty { counts = try countsWhenKnown(made) }
        let earlierDoubts = doubts
        doubts = [:]
        let ids = admin.topicIDs(configuration.streams.flatMap(\.topics))
        var entries: [Entry] = []
        for stream in configuration.streams {
            for topic in stream.topics {
                let known = try rows(of: topic, cluster: cluster, id: ids[topic])
                for partition in 0..<(counts[topic] ?? 0) {
                    let place = TopicPartition(topic, partition)
                    if let row = known[partition],
                        try isTheSame(place, row, id: ids[topic], checking: checking, earlierDoubts)
                    {
                        entries.append(entry(row, stream.name, place))
                    } else {
                        let start = try firstOffset(place, isNewTopic: known.isEmpty)
                        entries.append(try insert(place, stream.name, cluster, id: ids[topic], start: start))
                    }
                }
                for (partition, row) in known.sorted(by: { $0.key < $1.key }) where partition >= counts[topic] ?? 0 {
                    let place = TopicPartition(topic, partition)
                    let why = "is there no more: its topic was made again with \(counts[topic] ?? 0) partitions"
                    // With the same id a topic never gets fewer.
                    let isAnother = ids[topic].map { id in row.topicID.map { $0 != id } ?? true } ?? true
                    if isAnother, isCertain(why, of: row.id, earlierDoubts) {
                        try retire(row, place, because: why)
                    } else {
                        entries.append(entry(row, stream.name, place))
                    }
                }
            }
            let replays = try rows(of: ReplaySource.topic(of: stream.name), cluster: ReplaySource.cluster, id: nil)
            for row in replays.values {
                let place = TopicPartition(ReplaySource.topic(of: stream.name), 0)
                entries.append(Entry(id: row.id, stream: stream.name, partition: place, pausedBy: row.pausedBy))
            }
        }
        return entries
    }

    /// The brokers hear of new topics one after another.
    private func countsWhenKnown(_ made: Set<String>) throws -> [String: Int32] {
        let deadline = ContinuousClock.now + Self.newTopicLimit
        while true {
            let counts = try admin.partitionCounts()
            if made.allSatisfy({ counts[$0] == configuration.createdPartitions }) { return counts }
            guard ContinuousClock.now < deadline else {
                throw KafkaError(
                    operation: "make topics", code: -185,
                    message: "\(made.sorted().joined(separator: ", ")) did not appear")
            }
            usleep(Self.newTopicMicroseconds)
        }
    }

    private static let newTopicLimit = Duration.seconds(15)
    private static let newTopicMicroseconds: UInt32 = 20_000

    /// What is in doubt is read by nobody until it is certain.
    private func entry(_ row: Row, _ stream: String, _ place: TopicPartition) -> Entry {
        Entry(
            id: row.id, stream: stream, partition: place,
            pausedBy: row.pausedBy ?? doubts[row.id].map { "asking again: \(place) \($0)" })
    }

    mutating func reconnect() throws {
        guard connection.isLost else { return }
        connection = try Connection.open(parameters: configuration.postgres)
        // Our own backend may not have noticed yet, and still hold the fleet's lock.
        if let backend {
            try connection.execute(
                """
                SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
                WHERE pid = \(backend.pid) AND backend_start = \(try connection.literal(backend.start))::timestamptz
                """)
        }
        _ = try prepare()
    }

    private struct Row {
        let id: SourceID
        let nextOffset: Int64
        let pausedBy: String?
        /// Nil while it was never told.
        let topicID: String?
    }

    /// The rows in force of a topic; those of another cluster are retired. Those that don't know their topic's id are
    /// given it.
    private mutating func rows(
        of topic: String, cluster: String, id: String?
    ) throws(PostgresError) -> [Int32: Row] {
        let name = (topic: try connection.literal(topic), cluster: try connection.literal(cluster))
        let retired = try connection.execute(
            """
            UPDATE \(schema.name).source SET retired_at = now(), claim = NULL
            WHERE topic = \(name.topic) AND cluster_id <> \(name.cluster) AND retired_at IS NULL RETURNING id
            """)[0]
        if retired.rowCount > 0 {
            notices.append("topic \(topic): another Kafka cluster; its \(retired.rowCount) sources begin anew")
        }
        let result = try connection.execute(
            """
            SELECT partition, id, next_offset, paused_by, topic_id FROM \(schema.name).source
            WHERE topic = \(name.topic) AND cluster_id = \(name.cluster) AND retired_at IS NULL
            """)[0]
        var rows: [Int32: Row] = [:]
        for row in 0..<result.rowCount {
            rows[Int32(result.integer(row, 0)!)] = Row(
                id: SourceID(rawValue: Int32(result.integer(row, 1)!)), nextOffset: result.integer(row, 2)!,
                pausedBy: result.text(row, 3), topicID: result.text(row, 4))
        }
        if let id, rows.values.contains(where: { $0.topicID == nil }) {
            try connection.execute(
                """
                UPDATE \(schema.name).source SET topic_id = \(try connection.literal(id))
                WHERE topic = \(name.topic) AND cluster_id = \(name.cluster) AND retired_at IS NULL AND topic_id IS NULL
                """)
        }
        return rows
    }

    /// Whether a partition is still what the row says, or that is in doubt; if not, the row is retired.
    /// - Parameters:
    ///   - id: the topic's now; nil where it is not told, and then only the end can tell.
    ///   - checking: ask for the end.
    private mutating func isTheSame(
        _ place: TopicPartition, _ row: Row, id: String?, checking: Bool, _ earlierDoubts: [SourceID: String]
    ) throws -> Bool {
        if let id, let known = row.topicID, id != known {
            let why = "was made again (topic id \(id), before \(known))"
            guard isCertain(why, of: row.id, earlierDoubts) else { return true }
            try retire(row, place, because: why)
            return false
        }
        guard checking, try admin.watermarks(place).high < row.nextOffset else { return true }
        // A broker may answer with another life of the topic for a moment: ask again before judging.
        let again = try admin.watermarks(place)
        guard again.high < row.nextOffset else { return true }
        try retire(
            row, place, because: "ends at \(again.high), behind next_offset \(row.nextOffset): it was made again")
        return false
    }

    /// Whether the discovery before said the same.
    private mutating func isCertain(_ why: String, of id: SourceID, _ earlier: [SourceID: String]) -> Bool {
        doubts[id] = why
        return earlier[id] == why
    }

    private mutating func retire(_ row: Row, _ place: TopicPartition, because reason: String) throws(PostgresError) {
        try connection.execute(
            "UPDATE \(schema.name).source SET retired_at = now(), claim = NULL WHERE id = \(row.id)")
        notices.append("\(place) \(reason); source \(row.id) is retired")
    }

    /// Partitions that a known topic got later start at their beginning, whatever the first start was told.
    private func firstOffset(_ place: TopicPartition, isNewTopic: Bool) throws(KafkaError) -> Int64 {
        let (low, high) = try admin.watermarks(place)
        return isNewTopic && configuration.offsetReset == .latest ? high : low
    }

    /// A partition that comes to a topic of which all is paused is paused too.
    private mutating func insert(
        _ place: TopicPartition, _ stream: String, _ cluster: String, id: String?, start: Int64
    ) throws(PostgresError) -> Entry {
        let values = [
            try connection.literal(stream), try connection.literal(cluster), try connection.literal(place.topic),
            try id.map { id throws(PostgresError) in try connection.literal(id) } ?? "NULL",
        ]
        let result = try connection.execute(
            """
            INSERT INTO \(schema.name).source (stream, cluster_id, topic, topic_id, partition, incarnation,
                start_offset, next_offset, open_from, paused_by) VALUES (\(values.joined(separator: ", ")), \(place.partition),
                (SELECT coalesce(max(incarnation), 0) + 1 FROM \(schema.name).source WHERE cluster_id = \(values[1])
                    AND topic = \(values[2]) AND partition = \(place.partition)), \(start), \(start), \(start),
                (SELECT min(paused_by) FROM \(schema.name).source WHERE topic = \(values[2]) AND retired_at IS NULL
                    HAVING bool_and(paused_by IS NOT NULL)))
            RETURNING id, paused_by
            """)[0]
        return Entry(
            id: SourceID(rawValue: Int32(result.integer(0, 0)!)), stream: stream, partition: place,
            pausedBy: result.text(0, 1))
    }
}
