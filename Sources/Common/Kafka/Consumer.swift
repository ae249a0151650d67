internal import CRdkafka

/// Reads assigned partitions from given offsets. Owned by one thread.
///
/// It is no member of a consumer group: who reads what is decided elsewhere, and positions are kept in
/// Postgres. librdkafka prefetches on threads of its own.
package struct Consumer: ~Copyable {
    private let client: PolledClient
    private let connection: ConnectionState
    private let topics: [OpaquePointer]
    private let messages: UnsafeMutablePointer<UnsafeMutablePointer<rd_kafka_message_t>?>
    private let batchLimit: Int
    private let mockName: String?
    /// Readable when there may be records to take.
    package var descriptor: Int32 { client.descriptor }
    /// Records of the current batch.
    package private(set) var count: Int

    /// What the promises rest on: whatever the configuration says.
    private static let fixed = [
        "enable.auto.commit": "false",
        "enable.auto.offset.store": "false",
        // An expired offset must not skip data in silence.
        "auto.offset.reset": "error",
        "enable.partition.eof": "true",
        "isolation.level": "read_committed",
    ]

    /// Where there are none of ours, librdkafka's defaults hold (its CONFIGURATION.md).
    private static let defaults = [
        // Memory is bounded by bytes, and the count out of the way. Few bytes stay in the processor's cache: whoever
        // reaches the bound looks again after 10 ms rather than after a second.
        "queued.min.messages": "1000000",
        "queued.max.messages.kbytes": "16384",
        "fetch.queue.backoff.ms": "10",
        // Whoever was cut off is there again within a second rather than ten.
        "reconnect.backoff.max.ms": "500",
        "socket.connection.setup.timeout.ms": "5000",
        // How often librdkafka tells whether a broker is connected.
        "statistics.interval.ms": "2000",
        "group.id": "millrace",
        // No member, so no session: how long destroying waits for commits that the group's coordinator did not answer.
        "session.timeout.ms": "1000",
        "client.id": "millrace",
    ]

    /// A broker's answer is taken apart as a whole, so that of a larger one no record is in the processor's cache by the time it
    /// is its turn. librdkafka wants room for the largest message that the configuration knows.
    private static func answerByteCount(_ configuration: [String: String]) -> Int {
        max(1024 * 1024, configuration["message.max.bytes"].flatMap { Int($0) } ?? 0)
    }

    /// RD_KAFKA_OFFSET_INVALID, a macro of a cast.
    private static let noOffset: Int64 = -1001

    /// - Parameters:
    ///   - topics: that may be assigned. librdkafka then asks for their leaders when it connects; of a topic that it
    ///     hears of later it asks at its next look, once a second.
    ///   - batchLimit: records that `take` hands out at a time.
    package init(
        _ configuration: [String: String], topics: [String] = [], batchLimit: Int = 1000
    ) throws(KafkaError) {
        var merged = ["fetch.max.bytes": String(Self.answerByteCount(configuration))]
        for settings in [Self.defaults, configuration, Self.fixed] { merged.merge(settings) { $1 } }
        let connection = ConnectionState()
        let opaque = Unmanaged.passUnretained(connection).toOpaque()
        let client = try Client(RD_KAFKA_CONSUMER, merged) { conf in
            rd_kafka_conf_set_opaque(conf, opaque)
            rd_kafka_conf_set_stats_cb(conf) { _, json, count, opaque in
                let text = UnsafeRawBufferPointer(start: json, count: count)
                Unmanaged<ConnectionState>.fromOpaque(opaque!).takeUnretainedValue().update(statistics: text)
                return 0
            }
            rd_kafka_conf_set_offset_commit_cb(conf) { _, code, _, opaque in
                Unmanaged<ConnectionState>.fromOpaque(opaque!).takeUnretainedValue().committed(code.rawValue)
            }
        }
        rd_kafka_poll_set_consumer(client.handle)
        let polled = try PolledClient(client, rd_kafka_queue_get_consumer)
        var handles: [OpaquePointer] = []
        for topic in topics {
            if let handle = rd_kafka_topic_new(polled.handle, topic, nil) { handles.append(handle) }
        }
        self.client = polled
        self.connection = connection
        self.topics = handles
        self.batchLimit = batchLimit
        mockName = configuration[Properties.mockCluster]
        messages = .allocate(capacity: batchLimit)
        count = 0
    }

    deinit {
        // Destroying a consumer waits for messages that are still held.
        for index in 0..<count { rd_kafka_message_destroy(messages[index]) }
        messages.deallocate()
        for topic in topics { rd_kafka_topic_destroy(topic) }
    }

    /// Adds partitions, each from its offset; those there already keep what was prefetched for them.
    package func assign(_ partitions: [(TopicPartition, offset: Int64)]) throws(KafkaError) {
        let list = PartitionList(partitions)
        try Client.check("assign", rd_kafka_incremental_assign(client.handle, list.handle))
    }

    package func unassign(_ partitions: [TopicPartition]) throws(KafkaError) {
        let list = PartitionList(partitions.map { ($0, Self.noOffset) })
        try Client.check("unassign", rd_kafka_incremental_unassign(client.handle, list.handle))
    }

    /// Frees the batch before and takes what is there now, without waiting. Returns the number of records;
    /// below the batch limit, `descriptor` tells when there are more.
    package mutating func take() -> Int {
        for index in 0..<count { rd_kafka_message_destroy(messages[index]) }
        client.reset()
        count = max(0, rd_kafka_consume_batch_queue(client.queue, 0, messages, batchLimit))
        return count
    }

    package subscript(index: Int) -> Record {
        precondition(index < count)
        return Record(messages[index]!)
    }

    /// Whether some broker is connected, as far as is known; true until the first news.
    package var isConnected: Bool { connection.isConnected }

    /// The cluster, as the last answer of a broker said; nil before the first. Of a mock its name.
    package var clusterID: String? {
        if let mockName { return mockName }
        guard let id = rd_kafka_clusterid(client.handle, 0) else { return nil }
        defer { rd_kafka_mem_free(client.handle, id) }
        return String(cString: id)
    }

    /// Tells the consumer group `group.id` how far partitions are, without waiting: for tools that show a group's lag.
    /// Nothing is ever read from there. What becomes of it is told by `mirrorFailure`.
    package func mirror(_ positions: [(TopicPartition, offset: Int64)]) throws(KafkaError) {
        let list = PartitionList(positions)
        let code = rd_kafka_commit(client.handle, list.handle, 1)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError("commit group offsets", code) }
    }

    /// Why the last `mirror` failed, if it did.
    package var mirrorFailure: KafkaError? {
        let code = rd_kafka_resp_err_t(connection.commitError)
        return code == RD_KAFKA_RESP_ERR_NO_ERROR ? nil : KafkaError("commit group offsets", code)
    }

    /// The first offset that the broker still had at the last fetch, without asking it; nil before the first.
    package func knownStartOffset(_ partition: TopicPartition) -> Int64? {
        knownOffsets(partition).flatMap { $0.low >= 0 ? $0.low : nil }
    }

    /// The end offset that the last fetch answered, without asking the broker; nil before the first.
    /// The high watermark, also with read_committed: behind it may be transactions that are still open.
    package func knownEndOffset(_ partition: TopicPartition) -> Int64? {
        knownOffsets(partition).flatMap { $0.high >= 0 ? $0.high : nil }
    }

    private func knownOffsets(_ partition: TopicPartition) -> (low: Int64, high: Int64)? {
        var low: Int64 = 0
        var high: Int64 = 0
        let code = rd_kafka_get_watermark_offsets(client.handle, partition.topic, partition.partition, &low, &high)
        return code == RD_KAFKA_RESP_ERR_NO_ERROR ? (low, high) : nil
    }
}
