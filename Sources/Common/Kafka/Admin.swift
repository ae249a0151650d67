private import CRdkafka
private import Glibc

/// Blocking questions to a cluster and changes of its topics: for the coordinator and for tests.
package struct Admin: ~Copyable {
    let client: Client
    private let errors: ClientErrors
    /// The name of a mock cluster; nil for a real one. A mock names a controller that it doesn't have, so that what only
    /// a controller answers never comes: topics' ids, configurations, new topics.
    let mockName: String?

    package init(_ configuration: [String: String]) throws(KafkaError) {
        let errors = ClientErrors()
        let opaque = Unmanaged.passUnretained(errors).toOpaque()
        let client = try Client(RD_KAFKA_PRODUCER, configuration) { conf in
            rd_kafka_conf_set_opaque(conf, opaque)
            rd_kafka_conf_set_error_cb(conf) { _, code, reason, opaque in
                let text = reason.map { String(cString: $0) } ?? ""
                Unmanaged<ClientErrors>.fromOpaque(opaque!).takeUnretainedValue().add(code, text)
            }
        }
        self.init(client, errors, mockName: configuration[Properties.mockCluster])
    }

    private init(_ client: consuming Client, _ errors: ClientErrors, mockName: String?) {
        self.client = client
        self.errors = errors
        self.mockName = mockName
    }

    /// Nil when no broker answered in time. Of a mock its name.
    package func clusterID(timeout: Duration = .seconds(10)) -> String? {
        guard let id = rd_kafka_clusterid(client.handle, Client.milliseconds(timeout)) else { return nil }
        defer { rd_kafka_mem_free(client.handle, id) }
        return mockName ?? String(cString: id)
    }

    /// What stands behind questions that nobody answered; nil when nothing is known.
    package func failure() -> KafkaError? {
        rd_kafka_poll(client.handle, 0)
        return errors.mostTelling
    }

    /// What each broker says its address is: where clients go on once a bootstrap server has answered.
    package func brokers(timeout: Duration = .seconds(10)) throws(KafkaError) -> [(
        id: Int32, host: String, port: Int32
    )] {
        var metadata: UnsafePointer<rd_kafka_metadata>?
        let code = rd_kafka_metadata(client.handle, 0, nil, &metadata, Client.milliseconds(timeout))
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata else { throw KafkaError("read metadata", code) }
        defer { rd_kafka_metadata_destroy(metadata) }
        return (0..<Int(metadata.pointee.broker_cnt)).map { index in
            let broker = metadata.pointee.brokers[index]
            return (broker.id, String(cString: broker.host), broker.port)
        }
    }

    /// The number of partitions of each topic that exists.
    package func partitionCounts(timeout: Duration = .seconds(10)) throws(KafkaError) -> [String: Int32] {
        var metadata: UnsafePointer<rd_kafka_metadata>?
        let code = rd_kafka_metadata(client.handle, 1, nil, &metadata, Client.milliseconds(timeout))
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata else { throw KafkaError("read metadata", code) }
        defer { rd_kafka_metadata_destroy(metadata) }
        var counts: [String: Int32] = [:]
        for index in 0..<Int(metadata.pointee.topic_cnt) {
            let topic = metadata.pointee.topics[index]
            guard topic.err == RD_KAFKA_RESP_ERR_NO_ERROR else { continue }
            counts[String(cString: topic.topic)] = topic.partition_cnt
        }
        return counts
    }

    /// The first offset that is still there and the one behind the last.
    ///
    /// Asks again, within the time, while a partition has no leader that knows itself to be one: as right after its
    /// topic was made.
    package func watermarks(
        _ partition: TopicPartition, timeout: Duration = .seconds(10)
    ) throws(KafkaError) -> (low: Int64, high: Int64) {
        let deadline = ContinuousClock.now + timeout
        var low: Int64 = 0
        var high: Int64 = 0
        while true {
            let code = rd_kafka_query_watermark_offsets(
                client.handle, partition.topic, partition.partition, &low, &high, Client.milliseconds(timeout))
            if code == RD_KAFKA_RESP_ERR_NO_ERROR { return (low, high) }
            let error = KafkaError("read watermarks of \(partition)", code)
            guard error.isLeaderChange, ContinuousClock.now < deadline else { throw error }
            // The broker answers at once that it isn't the leader: without a pause this would ask it without end.
            usleep(Self.leaderRetryMicroseconds)
        }
    }

    private static let leaderRetryMicroseconds: UInt32 = 50_000

    /// Nil when there is no such partition.
    package func watermarksIfThere(_ partition: TopicPartition) throws(KafkaError) -> (low: Int64, high: Int64)? {
        do throws(KafkaError) { return try watermarks(partition) } catch {
            guard error.isUnknownPartition else { throw error }
            return nil
        }
    }

    /// The first offset whose record has that timestamp or a later one; nil when there is none.
    /// - Parameter time: milliseconds since 1970.
    package func offset(
        of partition: TopicPartition, at time: Int64, timeout: Duration = .seconds(10)
    ) throws(KafkaError) -> Int64? {
        let list = PartitionList([(partition, time)])
        let code = rd_kafka_offsets_for_times(client.handle, list.handle, Client.milliseconds(timeout))
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError("look up time in \(partition)", code) }
        let answer = list.handle.pointee.elems[0]
        guard answer.err == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw KafkaError("look up time in \(partition)", answer.err)
        }
        return answer.offset >= 0 ? answer.offset : nil
    }

    /// Makes a topic. A topic that is there already is no error.
    package func createTopic(
        _ name: String, partitions: Int32, configuration: [String: String] = [:], timeout: Duration = .seconds(15)
    ) throws(KafkaError) {
        var reason = [CChar](repeating: 0, count: 512)
        guard let topic = rd_kafka_NewTopic_new(name, partitions, -1, &reason, reason.count) else {
            throw KafkaError("create topic \(name)", RD_KAFKA_RESP_ERR__INVALID_ARG, Client.string(reason))
        }
        defer { rd_kafka_NewTopic_destroy(topic) }
        for (name, value) in configuration { rd_kafka_NewTopic_set_config(topic, name, value) }
        let queue = rd_kafka_queue_new(client.handle)
        defer { rd_kafka_queue_destroy(queue) }
        var topics: [OpaquePointer?] = [topic]
        rd_kafka_CreateTopics(client.handle, &topics, 1, nil, queue)
        guard let event = rd_kafka_queue_poll(queue, Client.milliseconds(timeout)) else {
            throw KafkaError("create topic \(name)", RD_KAFKA_RESP_ERR__TIMED_OUT)
        }
        defer { rd_kafka_event_destroy(event) }
        var code = rd_kafka_event_error(event)
        var message = rd_kafka_event_error_string(event).map { String(cString: $0) }
        var count = 0
        if code == RD_KAFKA_RESP_ERR_NO_ERROR, let result = rd_kafka_event_CreateTopics_result(event),
            let results = rd_kafka_CreateTopics_result_topics(result, &count), count > 0
        {
            code = rd_kafka_topic_result_error(results[0])
            message = rd_kafka_topic_result_error_string(results[0]).map { String(cString: $0) }
        }
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS else {
            throw KafkaError("create topic \(name)", code, message)
        }
    }
}
