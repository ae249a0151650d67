import Common
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
                    if let row = known[partition], try !checking || isTheSame(place, row) {
                        entries.append(
                            Entry(id: row.id, stream: stream.name, partition: place, pausedBy: row.pausedBy))
                    } else {
                        let start = try firstOffset(place, isNewTopic: known.isEmpty)
                        entries.append(try insert(place, stream.name, cluster, start: start))
                    }
                }
            }
            let replays = try rows(of: ReplaySource.topic(of: stream.name), cluster: ReplaySource.cluster)
            for row in replays.values {
                let place = TopicPartition(ReplaySource.topic(of: stream.name), 0)
                entries.append(Entry(id: row.id, stream: stream.name, partition: place, pausedBy: row.pausedBy))
            }
        }
        return entries
    }

    mutating func reconnect() throws {
        guard connection.isLost else { return }
        connection = try Connection.open(parameters: configuration.postgres)
        _ = try prepare()
    }

    private struct Row {
        let id: SourceID
        let nextOffset: Int64
        let pausedBy: String?
    }

    /// The rows in force of a topic; those of another cluster are retired.
    private mutating func rows(of topic: String, cluster: String) throws(PostgresError) -> [Int32: Row] {
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
            SELECT partition, id, next_offset, paused_by FROM \(schema.name).source
            WHERE topic = \(name.topic) AND cluster_id = \(name.cluster) AND retired_at IS NULL
            """)[0]
        var rows: [Int32: Row] = [:]
        for row in 0..<result.rowCount {
            rows[Int32(result.integer(row, 0)!)] = Row(
                id: SourceID(rawValue: Int32(result.integer(row, 1)!)), nextOffset: result.integer(row, 2)!,
                pausedBy: result.text(row, 3))
        }
        return rows
    }

    /// Whether a partition is still what the row says; if not, the row is retired.
    private mutating func isTheSame(_ place: TopicPartition, _ row: Row) throws -> Bool {
        guard try admin.watermarks(place).high < row.nextOffset else { return true }
        // A broker may answer with another life of the topic for a moment: ask again before judging.
        let again = try admin.watermarks(place)
        guard again.high < row.nextOffset else { return true }
        try connection.execute(
            "UPDATE \(schema.name).source SET retired_at = now(), claim = NULL WHERE id = \(row.id)")
        notices.append(
            "\(place) ends at \(again.high), behind next_offset \(row.nextOffset): made again, source \(row.id) is retired"
        )
        return false
    }

    /// Partitions that a known topic got later start at their beginning, whatever the first start was told.
    private func firstOffset(_ place: TopicPartition, isNewTopic: Bool) throws(KafkaError) -> Int64 {
        let (low, high) = try admin.watermarks(place)
        return isNewTopic && configuration.offsetReset == .latest ? high : low
    }

    /// A partition that comes to a topic of which all is paused is paused too.
    private mutating func insert(
        _ place: TopicPartition, _ stream: String, _ cluster: String, start: Int64
    ) throws(PostgresError) -> Entry {
        let values = [
            try connection.literal(stream), try connection.literal(cluster), try connection.literal(place.topic),
        ]
        let result = try connection.execute(
            """
            INSERT INTO \(schema.name).source (stream, cluster_id, topic, partition, incarnation, start_offset,
                next_offset, open_from, paused_by) VALUES (\(values.joined(separator: ", ")), \(place.partition),
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
