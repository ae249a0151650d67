package import Common

/// A part of a table's current state, in the order of its key.
package struct SnapshotPage: Sendable {
    package struct Request: Hashable, Sendable {
        /// Asks for an append stream's newest row of each key.
        package var isLatest: Bool
        package var filter: RowFilter
        /// The key of the last row of the page before, as Postgres prints it; nil for the first page.
        package var after: [String]?
        /// Only rows that were written at or behind these offsets, deleted ones too; nil: all that are there.
        package var since: [SourceID: Int64]?

        package init(
            isLatest: Bool, filter: RowFilter = RowFilter(), after: [String]? = nil, since: [SourceID: Int64]? = nil
        ) {
            self.isLatest = isLatest
            self.filter = filter
            self.after = after
            self.since = since
        }
    }

    package var rows: [FeedMessage.Row] = []
    /// Where the next page begins; nil when this is the last.
    package var next: [String]?

    package init() {}
}
