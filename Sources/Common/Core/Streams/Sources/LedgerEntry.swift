/// The open ledger entry of a source: what was done with its records since the entry was opened.
///
/// It lives in `millrace.source` and advances with the fence. `from..<to` are positions, not counts:
/// compaction and transaction markers leave holes.
package struct LedgerEntry: Hashable, Sendable {
    package var from: Int64
    package var to: Int64
    package var records: Int64 = 0
    /// Records applied, superseded upserts and deletes included.
    package var rows: Int64 = 0
    package var dead: Int64 = 0
    package var skipped: Int64 = 0
    /// Sum of the records' checksums modulo 2⁶⁴.
    package var checksum: UInt64 = 0

    package init(openedAt offset: Int64) {
        from = offset
        to = offset
    }

    package enum Outcome: Sendable { case row, dead, skipped }

    package mutating func add(offset: Int64, checksum: UInt64, outcome: Outcome) {
        precondition(offset >= to, "records of a source come in the order of their offsets")
        to = offset + 1
        records += 1
        self.checksum &+= checksum
        switch outcome {
        case .row: rows += 1
        case .dead: dead += 1
        case .skipped: skipped += 1
        }
    }

    /// Steps over offsets that hold no record for us.
    package mutating func advance(to position: Int64) {
        precondition(position >= to)
        to = position
    }
}
