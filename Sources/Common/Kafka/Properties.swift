/// Properties that are Millrace's own, among librdkafka's.
package enum Properties {
    /// Says that the cluster is a mock, and gives its name. The id that a mock answers names nobody: it is made from a
    /// pointer, and another life of it may have the same.
    package static let mockCluster = "millrace.mock.cluster"

    /// The properties that say where a cluster is.
    package static let bootstrap = ["bootstrap.servers", "metadata.broker.list"]
}
