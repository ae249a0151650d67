package import Common
package import Postgres

/// Parts of a log that are the same for all who ask.
extension ReplayReader {
    /// How large rows are is known by those before: so many may be larger than was thought.
    private static let segmentStep = 100

    /// The segment of a source's rows that begins at an offset; nil where some of them have been deleted.
    ///
    /// - Parameters:
    ///   - head: all before it is committed.
    ///   - filter: what of it may be seen.
    package func segment(
        _ source: SourceID, from: Int64, head: Int64, _ filter: RowFilter
    ) throws(PostgresError) -> LogSegment? {
        let end = min(LogSegment.end(from: from), head)
        var rows = LogSegmentRows(from: from, RowChooser(filter, stream))
        var reached = from
        while reached < end, !rows.isFull {
            let part = try self.rows(.init(source: source, from: reached, to: end), most: Self.segmentStep)
            guard from >= part.retainedFrom || part.retainedFrom <= part.start else { return nil }
            for row in part.rows { rows.add(row) }
            reached = part.end
        }
        let following = rows.isEmpty && head > end ? try firstOffset(source, from: end, before: head) : nil
        return rows.segment(head: head, following: following)
    }

    private func firstOffset(
        _ source: SourceID, from: Int64, before head: Int64
    ) throws(PostgresError) -> Int64? {
        try query(
            """
            SELECT min(source_offset) FROM \(Connection.table(stream.table))
            WHERE source_id = \(source) AND source_offset >= \(from) AND source_offset < \(head)
            """)[0].integer(0, 0)
    }
}
