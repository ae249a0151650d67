package import Common

/// Rows of a stream as they are at one moment, with the position of that moment: a feed from there misses nothing.
package struct RowPage: Sendable {
    /// Where a page begins or ends.
    package enum Place: Sendable, Equatable {
        /// Of a log: the next offset of each source.
        case position([SourceID: Int64])
        /// The last key, as Postgres prints it.
        case key([String])
    }

    package struct Request: Sendable {
        /// Asks for an append stream's newest row of each key, where the stream keeps them.
        package var isLatest: Bool
        package var limit: Int
        package var filter: RowFilter
        /// Of a log: rows from there on, oldest first, rather than the newest. Of keys: those behind it.
        package var after: Place?
        /// Of the page, unless one row is larger.
        package var byteLimit: Int

        package init(
            isLatest: Bool, limit: Int, filter: RowFilter = RowFilter(), byteLimit: Int = 16 * 1024 * 1024
        ) {
            self.isLatest = isLatest
            self.limit = limit
            self.filter = filter
            self.byteLimit = byteLimit
        }
    }

    package var epoch: String
    package var position: [SourceID: Int64]
    /// Canonical JSON: rows of a log the oldest first, several sources in turns; rows of a keyed table by key.
    package var rows: [[UInt8]]
    /// Where the next page begins. Nil: there is none; the last page of keys has one all the same, and an empty one behind it.
    package var next: Place?
}
