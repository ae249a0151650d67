/// A part of a source's rows whose bounds follow from its first offset alone, so that all who ask for it ask for the same.
package struct LogSegment: Sendable, Equatable {
    /// Segments end at multiples of it, unless their rows are large.
    package static let offsets: Int64 = 1000
    /// A segment ends with the row that goes over it.
    package static let byteLimit = 256 * 1024

    /// Canonical JSON.
    package var rows: [[UInt8]]
    /// Where the next one begins.
    package var next: Int64
    /// It will never be another. Else it ends where the source does by now.
    package var isComplete: Bool

    package init(rows: [[UInt8]], next: Int64, isComplete: Bool) {
        self.rows = rows
        self.next = next
        self.isComplete = isComplete
    }

    /// The first offset behind the segment that begins at one.
    package static func end(from: Int64) -> Int64 {
        let (end, isOver) = (from - from % offsets).addingReportingOverflow(offsets)
        return isOver ? .max : end
    }

    /// Where a segment ends whose rows are all there.
    ///
    /// One with rows ends at its bound; only one that has none leaps over the hole that it is in, to the segment of the row
    /// behind it: that row is known then, or the hole may still grow.
    /// - Parameters:
    ///   - hasRows: also if none of them may be seen.
    ///   - head: all before it is committed.
    ///   - following: the first row's offset from the bound on, where there is one.
    package init(hasRows: Bool, rows: [[UInt8]], from: Int64, head: Int64, following: Int64?) {
        let end = Self.end(from: from)
        if head < end {
            self.init(rows: rows, next: max(from, head), isComplete: false)
        } else if hasRows {
            self.init(rows: rows, next: end, isComplete: true)
        } else if let following {
            self.init(rows: rows, next: max(end, following - following % Self.offsets), isComplete: true)
        } else {
            self.init(rows: rows, next: head, isComplete: false)
        }
    }
}
