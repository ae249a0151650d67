/// What a fault run does to a fleet.
enum Fault: String, CaseIterable {
    case killWorker, stopWorker, killCoordinator, terminateBackends, crashPostgres, crashBroker, scale, killEdge
    /// Connections are cut around the next COMMITs.
    case cutCommit
    /// A transaction is aborted among plain records and a transaction that commits.
    case abortTransaction
}
