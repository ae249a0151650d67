private import CRdkafka

/// Properties that are Millrace's own, among librdkafka's.
package enum Properties {
    /// Says that the cluster is a mock, and gives its name. The id that a mock answers names nobody: it is made from a
    /// pointer, and another life of it may have the same.
    package static let mockCluster = "millrace.mock.cluster"

    /// The properties that say where a cluster is.
    package static let bootstrap = ["bootstrap.servers", "metadata.broker.list"]

    /// One sentence a property that this librdkafka doesn't know, or whose value it doesn't take. Without the values: some
    /// are secrets, and librdkafka's own words quote them.
    package static func problems(_ properties: [String: String]) -> [String] {
        guard let conf = rd_kafka_conf_new() else { preconditionFailure("out of memory") }
        defer { rd_kafka_conf_destroy(conf) }
        return properties.sorted { $0.key < $1.key }.compactMap { name, value in
            guard name != mockCluster else { return nil }
            switch rd_kafka_conf_set(conf, name, value, nil, 0) {
            case RD_KAFKA_CONF_OK: return nil
            case RD_KAFKA_CONF_UNKNOWN: return "kafka property '\(name)': librdkafka knows none of that name"
            default: return "kafka property '\(name)': librdkafka does not take its value"
            }
        }
    }

    /// What stands against the clients that a fleet makes of these properties: some of them don't go together.
    package static func tryClients(_ properties: [String: String]) throws(KafkaError) {
        _ = try Consumer(properties)
        _ = try Producer(properties)
    }
}
