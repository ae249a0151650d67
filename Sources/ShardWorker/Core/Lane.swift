import Common
import Schema

/// A stream within a worker: the batch that fills while the one before is written.
///
/// Lanes don't wait for each other: a stream that stops leaves the others going.
final class Lane {
    let stream: StreamDefinition
    let table: StreamTable
    let usesHeaders: Bool
    private(set) var filling: Batch
    private(set) var writing: Batch
    var runs = SplitRuns()
    /// Sent and not answered yet.
    var transaction: BatchTransaction?
    /// Positions have to be read from Postgres before anything is consumed.
    var needsResume = false
    /// After an error that only a person can mend, when to try again.
    var blockedUntil: ContinuousClock.Instant?
    var lastStart: ContinuousClock.Instant?
    /// Transactions in a row that deadlocked or failed to serialize.
    var retries = 0
    var progress: WorkerProgress.Stream

    init(_ stream: StreamDefinition, schema: MillraceSchema, recordByteLimit: Int) {
        self.stream = stream
        table = StreamTable(stream, schema: schema)
        usesHeaders = stream.columns.contains { if case .header = $0.origin { true } else { false } }
        filling = Batch(stream, recordByteLimit: recordByteLimit)
        writing = Batch(stream, recordByteLimit: recordByteLimit)
        progress = WorkerProgress.Stream(name: stream.name)
    }

    var isWriting: Bool { runs.next != nil }

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
