import Common
import Kafka
import Postgres

/// What `millrace.source` has about a topic.
extension SourceRegistry {
    struct Row {
        let id: SourceID
        let nextOffset: Int64
        let hold: SourceHold?
        /// Nil while it was never told.
        let topicID: String?
    }

    /// The rows in force of a topic. Those that don't know their topic's id are given it.
    mutating func rows(
        of topic: String, cluster: String, id: String?
    ) throws(PostgresError) -> [Int32: Row] {
        let name = (topic: try connection.literal(topic), cluster: try connection.literal(cluster))
        let result = try connection.execute(
            """
            SELECT partition, id, next_offset, paused_by, topic_id FROM \(schema.name).source
            WHERE topic = \(name.topic) AND cluster_id = \(name.cluster) AND retired_at IS NULL
            """)[0]
        var rows: [Int32: Row] = [:]
        for row in 0..<result.rowCount {
            rows[Int32(result.integer(row, 0)!)] = Row(
                id: SourceID(rawValue: Int32(result.integer(row, 1)!)), nextOffset: result.integer(row, 2)!,
                hold: result.text(row, 3).map { SourceHold(stored: $0) }, topicID: result.text(row, 4))
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

    /// Whether there are sources of other clusters.
    mutating func hasOthers(_ topic: String, than cluster: String) throws(PostgresError) -> Bool {
        try connection.execute(
            """
            SELECT count(*) > 0 FROM \(schema.name).source WHERE topic = \(try connection.literal(topic))
                AND cluster_id <> \(try connection.literal(cluster)) AND retired_at IS NULL
            """)[0].text(0, 0) == "t"
    }

    mutating func retire(_ row: Row, _ place: TopicPartition, because reason: String) throws(PostgresError) {
        try connection.execute(
            "UPDATE \(schema.name).source SET retired_at = now(), claim = NULL WHERE id = \(row.id)")
        retired(row, place, because: reason)
    }

    mutating func retired(_ row: Row, _ place: TopicPartition, because reason: String) {
        doubts[row.id] = nil
        notices.append("\(place) \(reason); source \(row.id) is retired")
    }

    /// Until somebody resets it: a log that grows past the place again would not be the one that was read.
    mutating func stop(_ id: SourceID, because reason: String) throws {
        try reconnect()
        let text = try connection.literal(SourceHold.stoppedPrefix + reason)
        try connection.execute(
            "UPDATE \(schema.name).source SET paused_by = \(text) WHERE id = \(id) AND paused_by IS NULL")
        doubts[id] = nil
    }

    /// Partitions that a known topic got later start at their beginning, whatever the first start was told.
    func firstOffset(
        _ place: TopicPartition, _ admin: borrowing Admin, isNewTopic: Bool
    ) throws(KafkaError) -> Int64 {
        let (low, high) = try admin.watermarks(place)
        return isNewTopic && configuration.offsetReset == .latest ? high : low
    }

    /// Whether the topic had sources on this cluster, retired ones too.
    mutating func hasHistory(_ topic: String, _ cluster: String) throws(PostgresError) -> Bool {
        try connection.execute(
            """
            SELECT count(*) > 0 FROM \(schema.name).source WHERE topic = \(try connection.literal(topic))
                AND cluster_id = \(try connection.literal(cluster))
            """)[0].text(0, 0) == "t"
    }

    /// A partition that comes to a topic of which all is paused is paused too.
    /// - Parameter former: the partition's source so far, which is retired with it.
    mutating func insert(
        _ place: TopicPartition, _ stream: String, _ cluster: String, id: String?, start: Int64,
        retiring former: SourceID? = nil
    ) throws(PostgresError) -> Entry {
        let values = [
            try connection.literal(stream), try connection.literal(cluster), try connection.literal(place.topic),
            try id.map { id throws(PostgresError) in try connection.literal(id) } ?? "NULL",
        ]
        let result = try connection.execute(
            """
            WITH former AS (UPDATE \(schema.name).source SET retired_at = now(), claim = NULL
                WHERE id = \(former.map(\.description) ?? "NULL"))
            INSERT INTO \(schema.name).source (stream, cluster_id, topic, topic_id, partition, incarnation,
                start_offset, next_offset, open_from, paused_by) VALUES (\(values.joined(separator: ", ")), \(place.partition),
                (SELECT coalesce(max(incarnation), 0) + 1 FROM \(schema.name).source WHERE cluster_id = \(values[1])
                    AND topic = \(values[2]) AND partition = \(place.partition)), \(start), \(start), \(start),
                (SELECT min(paused_by) FROM \(schema.name).source WHERE cluster_id = \(values[1])
                    AND topic = \(values[2]) AND retired_at IS NULL
                    HAVING bool_and(coalesce(paused_by NOT LIKE '\(SourceHold.stoppedPrefix)%'
                        AND paused_by NOT LIKE '\(SourceHold.quarantinePrefix)%', false))))
            RETURNING id, paused_by
            """)[0]
        return Entry(
            id: SourceID(rawValue: Int32(result.integer(0, 0)!)), stream: stream, partition: place, nextOffset: start,
            hold: result.text(0, 1).map { SourceHold(stored: $0) })
    }
}
