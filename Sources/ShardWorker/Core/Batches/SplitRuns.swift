package import JSONRecords
package import Postgres

/// The runs of a batch that are still to be written: at first the whole, then halves of what Postgres refuses,
/// down to the one guilty row, which becomes a dead letter.
///
/// Each run is a fenced transaction of its own, so that the halves before it are stored for good. A guilty row
/// among n costs about 2·log₂ n transactions.
package struct SplitRuns {
    package struct Run: Equatable {
        package let range: Range<Int>
        package let refusal: RecordRejection?
    }

    /// In reverse: the next one is the last.
    private var pending: [Run] = []

    /// Nothing to write.
    package init() {}

    package init(_ range: Range<Int>) {
        pending = [Run(range: range, refusal: nil)]
    }

    package var next: Run? { pending.last }

    package mutating func finish() {
        pending.removeLast()
    }

    package mutating func removeAll() {
        pending.removeAll()
    }

    /// The next run was refused: replaces it by its halves, or by a dead letter.
    package mutating func split(because error: PostgresError) {
        let range = pending.removeLast().range
        guard range.count > 1 else {
            let code: RecordRejection.Code =
                error.sqlState == PostgresError.belowMinimumState ? .belowMinimum : .refused
            pending.append(Run(range: range, refusal: RecordRejection(code, error.description)))
            return
        }
        let middle = range.lowerBound + range.count / 2
        pending.append(Run(range: middle..<range.upperBound, refusal: nil))
        pending.append(Run(range: range.lowerBound..<middle, refusal: nil))
    }
}
