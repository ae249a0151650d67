import Common
import Feed

/// The newest row of each key of what came, in the order in which their keys came first. A pure value.
struct NewestRows {
    private enum Change {
        case row(FeedMessage.Row)
        case left(StreamRing.Left)

        /// Zero where rows have none.
        var version: Int64 {
            switch self {
            case .row(let row): row.version
            case .left(let left): left.version
            }
        }
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
        for left in entry.left { leave(left) }
        position.merge(entry.position) { $1 }
    }

    mutating func add(_ row: FeedMessage.Row) { put(.row(row), keys.json(row.json)) }

    /// A row that the filter no longer lets through.
    mutating func leave(_ left: StreamRing.Left) { put(.left(left), left.key) }

    /// What came last counts, unless versions say that it is the older one: several sources may have written the row.
    private mutating func put(_ change: Change, _ key: [UInt8]) {
        guard let known = changes[key] else {
            order.append(key)
            changes[key] = change
            return
        }
        if change.version >= known.version { changes[key] = change }
    }

    mutating func takeAll() -> StreamRing.Entry {
        var rows: [FeedMessage.Row] = []
        var left: [StreamRing.Left] = []
        for key in order {
            switch changes[key]! {
            case .row(let row): rows.append(row)
            case .left(let one): left.append(one)
            }
        }
        defer { (changes, order, position) = ([:], [], [:]) }
        return StreamRing.Entry(rows: rows, left: left, position: position)
    }
}
