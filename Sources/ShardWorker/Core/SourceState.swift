import Common
import Kafka

/// A source that this worker was told to take.
final class SourceState {
    enum Phase: Equatable {
        /// Consuming, or about to when its lane has resumed.
        case running
        /// Consumes no more; free once everything is committed.
        case releasing
        /// Kafka refuses its position: nothing moves until someone resets it.
        case stopped(String)
    }

    let id: SourceID
    let partition: TopicPartition
    let lane: Int
    /// The id of its Kafka cluster.
    let cluster: String
    var phase = Phase.running
    /// The open ledger entry as it is committed.
    var ledger: LedgerEntry
    var ledgerOpenedAt: ContinuousClock.Instant
    /// The offset behind everything that was taken from Kafka.
    var taken: Int64
    /// Where Kafka said the last time that there is no more for us: behind it may be an open transaction.
    var end: Int64?
    /// Since when there are records behind that end, and it stays where it is.
    private var heldSince: (end: Int64, at: ContinuousClock.Instant)?
    /// Errors that were about another place than where it is.
    var strayErrors = 0
    /// What the consumer group was told.
    var mirrored: Int64?

    init(id: SourceID, partition: TopicPartition, lane: Int, cluster: String, ledger: LedgerEntry) {
        self.id = id
        self.partition = partition
        self.lane = lane
        self.cluster = cluster
        self.ledger = ledger
        ledgerOpenedAt = .now
        taken = ledger.to
    }

    /// Its records are dead letters that are replayed, not Kafka's.
    var isReplay: Bool { ReplaySource.isOne(topic: partition.topic) }

    var isCommitted: Bool { taken == ledger.to }

    /// Records that come in the usual way are behind the end for a moment only.
    private static let heldAfter = Duration.seconds(10)

    /// - Parameter high: the end of the log, open transactions included.
    func heldBack(high: Int64?, at now: ContinuousClock.Instant) -> WorkerProgress.HeldBack? {
        guard phase == .running, let high, let end, end == taken, high > end else {
            heldSince = nil
            return nil
        }
        if heldSince?.end != end { heldSince = (end, now) }
        let time = now - heldSince!.at
        return time < Self.heldAfter ? nil : .init(offsets: high - end, seconds: time / .seconds(1))
    }

    /// Whether offsets between what was taken and a record are known to hold nothing: the log reaches back to them, so
    /// they are markers of transactions, or compacted.
    ///
    /// - Parameter logStart: the first offset of the log, when it is known.
    func isHole(upTo offset: Int64, logStart: Int64?) -> Bool {
        guard let logStart else { return true }
        return logStart <= taken || logStart > offset
    }
}
