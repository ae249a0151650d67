/// What a fault run does to a fleet.
enum Fault: String, CaseIterable {
    case killWorker, killCoordinator, killEdge, stopWorker, stopCoordinator, stopEdge, terminateBackends, crashPostgres
    case crashBroker, scale
    /// Kafka removes records for which there are newer ones.
    case compact
    /// Connections are cut around the next COMMITs.
    case cutCommit
    /// A transaction is aborted among plain records and a transaction that commits.
    case abortTransaction
    /// Another cluster, empty, for a moment, and back.
    case anotherCluster
    /// The edges' backends in Postgres are stopped.
    case hangPostgres
}
