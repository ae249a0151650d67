package import Common

/// A piece of one source's rows, as one snapshot of the database holds them.
package struct ReplayedRows: Equatable, Sendable {
    package var rows: [FeedMessage.Row]
    /// Every row before it, from where was asked, is in `rows`.
    package var end: Int64
    /// Where the source begins.
    package var start: Int64
    /// Rows before it have been deleted.
    package var retainedFrom: Int64

    package init(rows: [FeedMessage.Row], end: Int64, start: Int64 = 0, retainedFrom: Int64 = 0) {
        self.rows = rows
        self.end = end
        self.start = start
        self.retainedFrom = retainedFrom
    }
}
