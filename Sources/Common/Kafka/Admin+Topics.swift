private import CRdkafka
private import Glibc

extension Admin {
    /// Whether this build's librdkafka can tell the ids of topics.
    package static var tellsTopicIDs: Bool { millrace_tells_topic_ids != 0 }

    /// The id of each topic, which a topic that is made again under the same name does not have. Those that are not
    /// told are left out: librdkafka knows ids since 2.3, brokers since 2.8, the mock not at all.
    package func topicIDs(_ topics: [String], timeout: Duration = .seconds(10)) -> [String: String] {
        let names = topics.map { strdup($0) }
        defer { for name in names { free(name) } }
        var pointers = names.map { UnsafePointer<CChar>($0) }
        let size = Int(millrace_topic_id_size)
        var ids = [CChar](repeating: 0, count: topics.count * size)
        guard !topics.isEmpty, mockName == nil,
            millrace_topic_ids(client.handle, &pointers, topics.count, Client.milliseconds(timeout), &ids) > 0
        else { return [:] }
        var found: [String: String] = [:]
        for (index, topic) in topics.enumerated() {
            let id = Client.string(Array(ids[(index * size)..<((index + 1) * size)]))
            if !id.isEmpty { found[topic] = id }
        }
        return found
    }

    /// What this login may do with a topic, as far as the broker tells.
    package enum TopicRight: Sendable {
        case describe, read, write
    }

    /// What it may not, of each topic; of those that are left out nothing is known to be missing. Of one that it may not even
    /// describe a broker does not say whether it exists.
    package func missingRights(
        _ topics: [String], timeout: Duration = .seconds(10)
    ) -> [String: [TopicRight]] {
        guard !topics.isEmpty, mockName == nil else { return [:] }
        let names = topics.map { strdup($0) }
        defer { for name in names { free(name) } }
        var pointers = names.map { UnsafePointer<CChar>($0) }
        var operations = [Int32](repeating: 0, count: topics.count)
        var errors = [Int32](repeating: 0, count: topics.count)
        millrace_topic_rights(
            client.handle, &pointers, topics.count, Client.milliseconds(timeout), &operations, &errors)
        var missing: [String: [TopicRight]] = [:]
        for (index, topic) in topics.enumerated() {
            if errors[index] == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED.rawValue {
                missing[topic] = [.describe]
            } else if operations[index] != 0 {
                let wanted: [(TopicRight, rd_kafka_AclOperation_t)] = [
                    (.read, RD_KAFKA_ACL_OPERATION_READ), (.write, RD_KAFKA_ACL_OPERATION_WRITE),
                ]
                let lacking = wanted.filter { operations[index] & (1 << Int32($0.1.rawValue)) == 0 }.map(\.0)
                if !lacking.isEmpty { missing[topic] = lacking }
            }
        }
        return missing
    }

    /// Whether the broker removes records of the topic for which there are newer ones (`cleanup.policy`).
    package func isCompacted(_ topic: String, timeout: Duration = .seconds(10)) throws(KafkaError) -> Bool {
        guard mockName == nil else { return false }
        guard let resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic) else {
            throw KafkaError("describe topic \(topic)", RD_KAFKA_RESP_ERR__INVALID_ARG)
        }
        defer { rd_kafka_ConfigResource_destroy(resource) }
        let queue = rd_kafka_queue_new(client.handle)
        defer { rd_kafka_queue_destroy(queue) }
        var resources: [OpaquePointer?] = [resource]
        rd_kafka_DescribeConfigs(client.handle, &resources, 1, nil, queue)
        guard let event = rd_kafka_queue_poll(queue, Client.milliseconds(timeout)) else {
            throw KafkaError("describe topic \(topic)", RD_KAFKA_RESP_ERR__TIMED_OUT)
        }
        defer { rd_kafka_event_destroy(event) }
        var count = 0
        guard rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR,
            let result = rd_kafka_event_DescribeConfigs_result(event),
            let described = rd_kafka_DescribeConfigs_result_resources(result, &count), count == 1
        else { throw KafkaError("describe topic \(topic)", rd_kafka_event_error(event)) }
        let code = rd_kafka_ConfigResource_error(described[0])
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError("describe topic \(topic)", code) }
        guard let entries = rd_kafka_ConfigResource_configs(described[0], &count) else { return false }
        for index in 0..<count where String(cString: rd_kafka_ConfigEntry_name(entries[index])) == "cleanup.policy" {
            guard let value = rd_kafka_ConfigEntry_value(entries[index]) else { return false }
            return String(cString: value).split(separator: ",").contains("compact")
        }
        return false
    }
}
