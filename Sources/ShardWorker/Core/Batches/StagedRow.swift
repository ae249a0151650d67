import Common
private import Glibc

/// What the records of one key in a run amount to: one row of the stage table.
struct StagedRow {
    struct Sum {
        /// The sum of the changes since the last delete in the run, or since its start.
        var total: Int64 = 0
        /// The lowest sum before the first delete, which counts from the stored row; nil when there was no change.
        var lowest: Int64?
    }

    /// For each column the entry whose field counts.
    var chosen: [Int]
    var sums: [Sum]
    /// The newest record of the key.
    var last: Int
    var deleted: Bool
    /// The run deleted the row in between: the sums count from nothing.
    var restarted: Bool
}

/// A key's encoded fields, compared and ordered by their bytes: all workers lock rows in one order.
struct StagedKey: Hashable, Comparable {
    let bytes: [UInt8]

    static func < (left: StagedKey, right: StagedKey) -> Bool {
        let count = min(left.bytes.count, right.bytes.count)
        let order = memcmp(left.bytes, right.bytes, count)
        return order != 0 ? order < 0 : left.bytes.count < right.bytes.count
    }
}
