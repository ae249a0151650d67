package import Common

/// The fleet at one moment, as a value: what the loop publishes, and other threads read.
package struct FleetSnapshot: Sendable {
    package struct Worker: Sendable {
        /// Of this life of the process.
        package var processorSeconds: Double
        /// Of its last heartbeat, in seconds since 1970.
        package var heardAt: Double

        package init(processorSeconds: Double, heardAt: Double) {
            self.processorSeconds = processorSeconds
            self.heardAt = heardAt
        }
    }

    package var report: StatusReport
    /// By the streams' names, since the coordinator started.
    package var totals: [String: WorkerProgress.Stream]
    /// By shard; those that have been heard of.
    package var workers: [Int32: Worker]
    /// Of the coordinator's own process.
    package var processorSeconds: Double
    package var residentBytes: Int64
    /// When the loop turned.
    package var at: ContinuousClock.Instant

    package init(
        report: StatusReport, totals: [String: WorkerProgress.Stream], workers: [Int32: Worker],
        processorSeconds: Double, residentBytes: Int64, at: ContinuousClock.Instant
    ) {
        self.report = report
        self.totals = totals
        self.workers = workers
        self.processorSeconds = processorSeconds
        self.residentBytes = residentBytes
        self.at = at
    }
}
