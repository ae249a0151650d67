private import CRdkafka

/// librdkafka's own imitation of a broker, in this process, for as long as the value lives.
///
/// It keeps records in memory, the last 5 MB and 100,000 batches of a partition, and knows neither disk nor
/// replication. It listens on a port of 127.0.0.1 that the kernel picks, and holds fetches for as long as they ask:
/// consumers set `fetch.wait.max.ms` low.
package struct MockCluster: ~Copyable {
    private let client: Client
    private let cluster: OpaquePointer

    package init() throws(KafkaError) {
        let client = try Client(RD_KAFKA_PRODUCER, [:])
        guard let cluster = rd_kafka_mock_cluster_new(client.handle, 1) else {
            throw KafkaError("make a mock cluster", RD_KAFKA_RESP_ERR__FAIL)
        }
        self.init(client, cluster)
    }

    private init(_ client: consuming Client, _ cluster: OpaquePointer) {
        self.client = client
        self.cluster = cluster
    }

    deinit {
        rd_kafka_mock_cluster_destroy(cluster)
    }

    /// `HOST:PORT`.
    package var bootstrap: String { String(cString: rd_kafka_mock_cluster_bootstraps(cluster)) }

    package func createTopic(_ name: String, partitions: Int32) throws(KafkaError) {
        let code = rd_kafka_mock_topic_create(cluster, name, partitions, 1)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError("create topic \(name)", code) }
    }
}
