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
        /// The table was read ahead of the feed, or where the feed missed something: clients may have another.
        case unknown(key: [UInt8])
        /// This row is older than what came before it, from another source.
        case newer(key: [UInt8])

        var key: [UInt8] {
            switch self {
            case .known(_, let key), .absent(let key), .unknown(let key), .newer(let key): key
            }
        }
    }

    private struct Known {
        let json: [UInt8]
        let version: Int64
        let isDeleted: Bool
        /// Read from the table in a state that the feed had not come to yet.
        let isAhead: Bool
    }

    private let keys: RowKeys
    /// Rows of an append stream's feed have no versions, those of its table of newest rows have.
    private let hasVersions: Bool
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
        hasVersions = stream.isKeyed
        self.number = number
    }

    /// A row of the table; a deleted one too, since the table may be ahead of the feed. What came over the feed meanwhile
    /// stays.
    ///
    /// - Parameter position: how far the feed is by now.
    func read(_ row: FeedMessage.Row, _ position: [SourceID: Int64]) {
        let key = keys.json(row.json)
        if rows[key] == nil { put(row, key, isAhead: row.offset >= position[row.source] ?? 0) }
    }

    /// A row of the feed takes its place.
    ///
    /// - Parameter position: how far the feed is with it. Where rows were missing their newest state was read, which may be of a
    ///   change that the feed has still to come to. Those who come from another edge and are behind what was missing, but not
    ///   behind that change, get it then: so it counts as read ahead, and all are told again.
    /// - Parameter isRead: where rows were missing. What a key was on the way is not known here, and clients who come from
    ///   another edge may have it.
    func replace(_ row: FeedMessage.Row, _ position: [SourceID: Int64], isRead: Bool) -> Before {
        let isAhead = row.offset >= position[row.source] ?? 0
        let key = keys.json(row.json)
        let before = rows[key]
        if let before, !before.isAhead, before.version > row.version { return .newer(key: key) }
        if row.deleted, isComplete, !isAhead {
            drop(key)
        } else {
            put(row, key, isAhead: isAhead)
        }
        guard let before else { return isComplete && !isRead ? .absent(key: key) : .unknown(key: key) }
        if before.isAhead || isRead { return .unknown(key: key) }
        return before.isDeleted ? .absent(key: key) : .known(json: before.json, key: key)
    }

    private func put(_ row: FeedMessage.Row, _ key: [UInt8], isAhead: Bool) {
        drop(key)
        rows[key] = Known(
            json: row.json, version: hasVersions ? row.version : 0, isDeleted: row.deleted, isAhead: isAhead)
        byteCount += key.count + row.json.count + Self.overhead
    }

    private func drop(_ key: [UInt8]) {
        guard let old = rows.removeValue(forKey: key) else { return }
        byteCount -= key.count + old.json.count + Self.overhead
    }
}
