/// What the records of one key in a run amount to: one row of the stage table.
struct StagedRow {
    struct Sum {
        /// The sum of the changes since the last delete in the run, or since its start.
        var total: Int64 = 0
        /// The lowest sum before the first delete, which counts from the stored row; nil when there was no change.
        var lowest: Int64?
    }

    /// In the run's key bytes.
    let key: Range<Int>
    let hash: UInt64
    /// The newest record of the key.
    var last: Int
    var deleted: Bool
    /// The run deleted the row in between: the sums count from nothing.
    var restarted: Bool
    /// Of increments for each column the entry whose field counts; of others it is the newest record's.
    var chosen: [Int] = []
    var sums: [Sum] = []
}
