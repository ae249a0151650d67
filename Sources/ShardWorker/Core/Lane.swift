import Common
import JSONRecords
import Schema

/// A stream within a worker: the batch that fills while the one before is written.
///
/// Lanes don't wait for each other: a stream that stops leaves the others going.
final class Lane {
    let stream: StreamDefinition
    let table: StreamTable
    var filling: Batch
    private(set) var writing: Batch
    var runs = SplitRuns()
    /// The transaction that was sent and is not answered yet.
    var transaction: BatchTransaction?
    var transactionStart: ContinuousClock.Instant?
    /// Positions have to be read from Postgres before anything is consumed.
    var needsResume = false
    /// Why nothing of the stream moves, and when to try again: after an error that only a person can mend.
    var block: (reason: String, until: ContinuousClock.Instant)?
    var breaker: DeadLetterBreaker
    /// The stream's replay source looks for requested letters from then on.
    var nextReplayCheck = ContinuousClock.now
    /// Of batches that are not full.
    private(set) var pace = Pace(oneIn: 2, longestInterval: .milliseconds(20))
    /// Transactions in a row that deadlocked or failed to serialize.
    var retries = 0
    /// Transactions in a row that the server ended since they took too long.
    var timeouts = 0
    /// Rows of a transaction, while a setting of the server's lets no more through.
    private(set) var runLimit: Int?
    private var commitsSinceTimeout = 0
    /// Whether the append table has no triggers: then what was sent is what is stored.
    var isPlain = true
    private let watch: ColumnWatch
    var progress: WorkerProgress.Stream

    init(_ stream: StreamDefinition, schema: MillraceSchema, recordByteLimit: Int, breakerRecordCount: Int) {
        self.stream = stream
        breaker = DeadLetterBreaker(recordCount: breakerRecordCount)
        table = StreamTable(stream, schema: schema)
        watch = ColumnWatch(stream)
        filling = Batch(stream, recordByteLimit: recordByteLimit, watch: watch)
        writing = Batch(stream, recordByteLimit: recordByteLimit, watch: watch)
        progress = WorkerProgress.Stream(name: stream.name)
    }

    var isWriting: Bool { runs.next != nil }

    /// What it has done, to be reported.
    var report: WorkerProgress.Stream {
        var report = progress
        report.absentColumns = watch.absent
        return report
    }

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
    ///
    /// - Parameter isPublished: of the batch that fills next.
    func startWriting(now: ContinuousClock.Instant, isPublished: Bool) {
        precondition(!isWriting)
        swap(&filling, &writing)
        filling.removeAll()
        filling.isPublished = isPublished
        runs = SplitRuns(0..<writing.entries.count, limit: runLimit)
        pace.begin(at: now)
    }

    /// A transaction took too long. How many rows the next ones have; nil when there is no less than one.
    func shorten() -> Int? {
        guard let count = runs.shorten() else { return nil }
        runLimit = count
        commitsSinceTimeout = 0
        timeouts = 0
        return count
    }

    /// A transaction has committed. After some of them the next ones may be larger again.
    func countCommit(now: ContinuousClock.Instant) {
        if !isWriting { pace.end(at: now) }
        retries = 0
        timeouts = 0
        guard let limit = runLimit else { return }
        commitsSinceTimeout += 1
        guard commitsSinceTimeout >= Self.commitsBeforeGrowth else { return }
        commitsSinceTimeout = 0
        runLimit = limit < 1_000_000 ? limit * 2 : nil
    }

    private static let commitsBeforeGrowth = 100

    /// Forgets what is in memory: Postgres knows the positions from which to go on.
    func reset() {
        filling.removeAll()
        writing.removeAll()
        runs.removeAll()
        transaction = nil
        needsResume = true
    }
}
