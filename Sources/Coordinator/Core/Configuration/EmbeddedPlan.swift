/// What a fleet brings up itself, since nothing says where it is.
package struct EmbeddedPlan: Sendable, Equatable {
    package enum Kafka: String, Sendable, CaseIterable {
        /// Apache Kafka where it can be run, else the mock cluster.
        case automatic, apache, mock
    }

    /// Nil where Kafka is configured.
    package var kafka: Kafka?
    package var postgres = false

    package init() {}
}
