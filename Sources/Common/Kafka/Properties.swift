/// Properties that are Millrace's own, among librdkafka's.
package enum Properties {
    /// That the cluster is a mock, and what to call it instead of the id that it answers: it makes that from a pointer,
    /// and another life of it may have the same.
    package static let mockCluster = "millrace.mock.cluster"

    /// Those that say where a cluster is.
    package static let bootstrap = ["bootstrap.servers", "metadata.broker.list"]
}
