package import Common

/// Collects the rows of one segment, in the order of their offsets, until it is full. A pure value.
package struct LogSegmentRows: Sendable {
    private let from: Int64
    private let chooser: RowChooser
    private var rows: [[UInt8]] = []
    /// Also of rows that may not be seen: bounds are the same for all.
    private var byteCount = 0
    private var cut: Int64?

    /// - Parameter chooser: what may be seen.
    package init(from: Int64, _ chooser: RowChooser) {
        self.from = from
        self.chooser = chooser
    }

    package var isEmpty: Bool { byteCount == 0 }
    package var isFull: Bool { cut != nil }

    package mutating func add(_ row: FeedMessage.Row) {
        let end = LogSegment.end(from: from)
        guard !isFull, row.offset < end else { return }
        byteCount += row.json.count + 1
        if chooser.matches(row.json) { rows.append(row.json) }
        if byteCount >= LogSegment.byteLimit, row.offset + 1 < end { cut = row.offset + 1 }
    }

    /// - Parameters:
    ///   - head: all before it is committed.
    ///   - following: where there are no rows, the first one's offset behind the segment's end, if there is one.
    package func segment(head: Int64, following: Int64?) -> LogSegment {
        if let cut { return LogSegment(rows: rows, next: cut, isComplete: true) }
        return LogSegment(hasRows: !isEmpty, rows: rows, from: from, head: head, following: following)
    }
}
