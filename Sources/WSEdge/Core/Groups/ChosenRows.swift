import Common
import Feed

/// The rows of one delivery that concern a group. A pure value.
///
/// Where clients keep one row a key, only what became of a key in the end is told: within a message rows that come and rows
/// that leave have no order.
struct ChosenRows {
    private var newest: NewestRows?
    private var rows: [FeedMessage.Row] = []

    /// - Parameter keys: nil where clients keep each row.
    init(_ keys: RowKeys?) {
        newest = keys.map { NewestRows($0) }
    }

    mutating func add(_ row: FeedMessage.Row) {
        if newest == nil { rows.append(row) } else { newest!.add(row) }
    }

    /// A row that the filter no longer lets through.
    mutating func leave(_ left: StreamRing.Left) { newest?.leave(left) }

    mutating func takeAll() -> StreamRing.Entry { newest?.takeAll() ?? .init(rows: rows, position: [:]) }
}
