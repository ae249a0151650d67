package import Common

/// Rows of a stream as they are at one moment, with the position of that moment: a feed from there misses nothing.
package struct RowPage: Sendable {
    package struct Request: Sendable {
        /// An append stream's newest row of each key, where it keeps them.
        package var isLatest: Bool
        package var limit: Int

        package init(isLatest: Bool, limit: Int) {
            self.isLatest = isLatest
            self.limit = limit
        }
    }

    package var epoch: String
    package var position: [SourceID: Int64]
    /// Canonical JSON. Of a log the oldest first, and of several sources in turns; of a keyed table by key.
    package var rows: [[UInt8]]
}
