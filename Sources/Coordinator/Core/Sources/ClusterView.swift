import Common
import Kafka

/// What Kafka says about its topics at one time, asked by a client of its own.
///
/// Not by one that lives on: librdkafka 2.4 to 2.8 keeps a freed entry in its cache when a topic is made again between two
/// answers, and dies of it (its issue #4964, mended in 2.10). A cache that is as old as the question can't have both.
struct ClusterView: ~Copyable {
    let admin: Admin
    let cluster: String
    /// Of each topic that exists and may be described.
    let counts: [String: Int32]
    /// What a topic that is made again does not have; those that are not told are left out.
    let ids: [String: String]

    /// Blocking.
    static func look(_ kafka: [String: String], _ topics: [String]) throws(KafkaError) -> ClusterView {
        let admin = try Admin(kafka)
        guard let cluster = admin.clusterID() else {
            throw KafkaError(operation: "discover", code: -185, message: "no broker answered")
        }
        let counts = try admin.partitionCounts()
        let ids = admin.topicIDs(topics.filter { counts[$0] != nil })
        return ClusterView(admin: admin, cluster: cluster, counts: counts, ids: ids)
    }

    private init(admin: consuming Admin, cluster: String, counts: [String: Int32], ids: [String: String]) {
        self.admin = admin
        self.cluster = cluster
        self.counts = counts
        self.ids = ids
    }
}
