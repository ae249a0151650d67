import Common
import Feed

/// The rows of a table of one row a key, as they were last seen: so that those whose filter a row leaves are told. Filled from
/// the table once, then by what comes. On the server's thread.
final class KeyedRows {
    enum Before {
        /// The row as it was.
        case known(json: [UInt8], key: [UInt8])
        /// There was none.
        case absent(key: [UInt8])
        /// The table was read when the row was this one already: who resumed before has another.
        case unknown(key: [UInt8])

        var key: [UInt8] {
            switch self {
            case .known(_, let key), .absent(let key), .unknown(let key): key
            }
        }
    }

    private struct Known {
        let json: [UInt8]
        let source: SourceID
        let offset: Int64
        let isDeleted: Bool
        /// Of the table, not of the feed.
        let isRead: Bool
    }

    private let keys: RowKeys
    private var rows: [[UInt8]: Known] = [:]
    private(set) var byteCount = 0
    /// Whether all of the table is here.
    var isComplete = false
    /// Called once it is, or with what is wrong.
    var waiting: [(RequestError?) -> Void] = []
    /// Told by readings, so that one of a table that nobody needs any more is not taken for another's.
    let number: UInt64

    private static let overhead = 160

    init(_ stream: StreamDefinition, number: UInt64) {
        keys = RowKeys(stream)
        self.number = number
    }

    /// A row of the table, which may be ahead of the feed: so a deleted one is remembered, too, until the feed says so. What
    /// came over the feed meanwhile stays.
    func read(_ row: FeedMessage.Row) {
        let key = keys.json(row.json)
        if rows[key] == nil { put(row, key, isRead: true) }
    }

    /// A row of the feed takes its place.
    func replace(_ row: FeedMessage.Row) -> Before {
        let key = keys.json(row.json)
        let before = rows[key]
        if row.deleted {
            drop(key)
        } else {
            put(row, key, isRead: false)
        }
        guard let before else { return isComplete ? .absent(key: key) : .unknown(key: key) }
        // Another source's may be as new as this one, too.
        let isAhead = before.isRead && (before.source != row.source || before.offset >= row.offset)
        if isAhead { return .unknown(key: key) }
        return before.isDeleted ? .absent(key: key) : .known(json: before.json, key: key)
    }

    private func put(_ row: FeedMessage.Row, _ key: [UInt8], isRead: Bool) {
        drop(key)
        rows[key] = Known(
            json: row.json, source: row.source, offset: row.offset, isDeleted: row.deleted, isRead: isRead)
        byteCount += key.count + row.json.count + Self.overhead
    }

    private func drop(_ key: [UInt8]) {
        guard let old = rows.removeValue(forKey: key) else { return }
        byteCount -= key.count + old.json.count + Self.overhead
    }
}
