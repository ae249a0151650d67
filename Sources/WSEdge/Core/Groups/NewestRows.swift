import Common
import Feed

/// The newest row of each key of what came, in the order in which their keys came first. A pure value.
struct NewestRows {
    private enum Change {
        case row(FeedMessage.Row)
        case left
    }

    private let keys: RowKeys
    private var changes: [[UInt8]: Change] = [:]
    private var order: [[UInt8]] = []
    private var position: [SourceID: Int64] = [:]

    init(_ keys: RowKeys) {
        self.keys = keys
    }

    var isEmpty: Bool { changes.isEmpty }

    /// What an entry holds, of each key at most one thing.
    mutating func add(_ entry: StreamRing.Entry) {
        for row in entry.rows { add(row) }
        for key in entry.left { leave(key) }
        position.merge(entry.position) { $1 }
    }

    mutating func add(_ row: FeedMessage.Row) { put(.row(row), keys.json(row.json)) }

    /// - Parameter key: of a row that the filter no longer lets through.
    mutating func leave(_ key: [UInt8]) { put(.left, key) }

    private mutating func put(_ change: Change, _ key: [UInt8]) {
        if changes.updateValue(change, forKey: key) == nil { order.append(key) }
    }

    mutating func takeAll() -> StreamRing.Entry {
        var rows: [FeedMessage.Row] = []
        var left: [[UInt8]] = []
        for key in order {
            switch changes[key]! {
            case .row(let row): rows.append(row)
            case .left: left.append(key)
            }
        }
        defer { (changes, order, position) = ([:], [], [:]) }
        return StreamRing.Entry(rows: rows, left: left, position: position)
    }
}
