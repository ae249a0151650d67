import Common
import Schema

/// A stream within a worker: the batch that fills while the one before is written.
///
/// Lanes don't wait for each other: a stream that stops leaves the others going.
final class Lane {
    let stream: StreamDefinition
    let table: StreamTable
    private(set) var filling: Batch
    private(set) var writing: Batch
    var runs = SplitRuns()
    /// Sent and not answered yet.
    var transaction: BatchTransaction?
    var transactionStart: ContinuousClock.Instant?
    /// Positions have to be read from Postgres before anything is consumed.
    var needsResume = false
    /// Why nothing of the stream moves, and when to try again: after an error that only a person can mend.
    var block: (reason: String, until: ContinuousClock.Instant)?
    var breaker: DeadLetterBreaker
    /// The stream's replay source looks for requested letters from then on.
    var nextReplayCheck = ContinuousClock.now
    var lastStart: ContinuousClock.Instant?
    /// Transactions in a row that deadlocked or failed to serialize.
    var retries = 0
    var progress: WorkerProgress.Stream

    init(_ stream: StreamDefinition, schema: MillraceSchema, recordByteLimit: Int, breakerRecordCount: Int) {
        self.stream = stream
        breaker = DeadLetterBreaker(recordCount: breakerRecordCount)
        table = StreamTable(stream, schema: schema)
        filling = Batch(stream, recordByteLimit: recordByteLimit)
        writing = Batch(stream, recordByteLimit: recordByteLimit)
        progress = WorkerProgress.Stream(name: stream.name)
    }

    var isWriting: Bool { runs.next != nil }

    /// Why nothing of the stream moves until someone acts.
    var stopReason: String? { progress.tripped ?? block?.reason }

    /// Whether positions should be read now, so that consuming goes on.
    func shouldResume(at now: ContinuousClock.Instant) -> Bool {
        needsResume && progress.tripped == nil && (block.map { $0.until <= now } ?? true)
    }

    /// The worker has none of the stream's sources any more: what stopped it is over.
    func forgetTrouble() {
        block = nil
        progress.tripped = nil
        breaker.reset()
        needsResume = false
    }

    /// Turns the filled batch into the one to be written.
    func startWriting(now: ContinuousClock.Instant) {
        precondition(!isWriting)
        swap(&filling, &writing)
        filling.removeAll()
        runs = SplitRuns(0..<writing.entries.count)
        lastStart = now
    }

    /// Forgets what is in memory: Postgres knows the positions from which to go on.
    func reset() {
        filling.removeAll()
        writing.removeAll()
        runs.removeAll()
        transaction = nil
        needsResume = true
    }
}
