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
    var phase = Phase.running
    /// The open ledger entry as it is committed.
    var ledger: LedgerEntry
    var ledgerOpenedAt: ContinuousClock.Instant
    /// The offset behind everything that was taken from Kafka.
    var taken: Int64
    /// Where Kafka said the last time that there is no more for us: behind it may be an open transaction.
    var end: Int64?

    init(id: SourceID, partition: TopicPartition, lane: Int, ledger: LedgerEntry) {
        self.id = id
        self.partition = partition
        self.lane = lane
        self.ledger = ledger
        ledgerOpenedAt = .now
        taken = ledger.to
    }

    /// Its records are dead letters that are replayed, not Kafka's.
    var isReplay: Bool { ReplaySource.isOne(topic: partition.topic) }

    var isCommitted: Bool { taken == ledger.to }
}
