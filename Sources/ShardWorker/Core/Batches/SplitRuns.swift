package import JSONRecords
package import Postgres

/// The runs of a batch that are still to be written: at first the whole, then halves of what Postgres refuses,
/// down to the one guilty row, which becomes a dead letter.
///
/// A dead letter that is refused itself (a trigger of somebody's, a limit) is tried once more without its content, which
/// Kafka still has; then there is no more to be done here.
///
/// Each run is a fenced transaction of its own, so that the halves before it are stored for good. A guilty row
/// among n costs about 2·log₂ n transactions.
package struct SplitRuns {
    package struct Run: Equatable {
        package let range: Range<Int>
        /// Why its rows become dead letters.
        package let refusal: RecordRejection?
        /// Its dead letters keep their reason only.
        package let isBare: Bool

        package init(range: Range<Int>, refusal: RecordRejection? = nil, isBare: Bool = false) {
            self.range = range
            self.refusal = refusal
            self.isBare = isBare
        }
    }

    /// The runs in reverse order: the next one is the last.
    private var pending: [Run] = []

    /// Makes a value with nothing to write.
    package init() {}

    /// - Parameter limit: rows of one run at most.
    package init(_ range: Range<Int>, limit: Int? = nil) {
        let limit = max(1, limit ?? range.count)
        let starts = stride(from: range.lowerBound, to: range.upperBound, by: limit)
        pending = starts.reversed().map { Run(range: $0..<min($0 + limit, range.upperBound)) }
        // Holes only: a run without rows.
        if range.isEmpty { pending = [Run(range: range)] }
    }

    package var next: Run? { pending.last }

    package mutating func finish() {
        pending.removeLast()
    }

    package mutating func removeAll() {
        pending.removeAll()
    }

    /// The next run was refused: replaces it by its halves, or by a dead letter. False when neither is left.
    package mutating func split(because error: PostgresError) -> Bool {
        guard let run = pending.last, !run.isBare else { return false }
        pending.removeLast()
        let range = run.range
        guard range.count <= 1 else {
            halve(range)
            return true
        }
        guard let refusal = run.refusal else {
            let code: RecordRejection.Code =
                error.sqlState == PostgresError.belowMinimumState ? .belowMinimum : .refused
            pending.append(Run(range: range, refusal: RecordRejection(code, error.reason)))
            return true
        }
        let reason = "\(refusal.reason); kept without key, value and headers, since its dead letter was refused too: "
        pending.append(
            Run(range: range, refusal: RecordRejection(refusal.code, reason + error.message), isBare: true))
        return true
    }

    /// The next run takes too long: replaces it by its halves, and returns how many rows those have. Nil when it has one row.
    package mutating func shorten() -> Int? {
        guard let run = pending.last, run.range.count > 1 else { return nil }
        pending.removeLast()
        halve(run.range)
        return (run.range.count + 1) / 2
    }

    private mutating func halve(_ range: Range<Int>) {
        let middle = range.lowerBound + range.count / 2
        pending.append(Run(range: middle..<range.upperBound))
        pending.append(Run(range: range.lowerBound..<middle))
    }
}
