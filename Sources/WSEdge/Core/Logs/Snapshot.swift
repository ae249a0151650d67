import Common
import Feed

/// A subscriber's way through a table's state, page by page. A pure value.
///
/// The feed goes on from `start`, which is older than the first page: what a page shows of later changes comes again, and
/// loses against what is there already.
struct Snapshot {
    /// Of those who began at the same time, with the same filter: they are read the same pages.
    typealias Number = UInt64

    let number: Number
    private(set) var request: SnapshotPage.Request
    /// Where the feed goes on behind the last page.
    let start: [SourceID: Int64]
    private(set) var isDone = false
    var isReading = false

    init(_ number: Number, _ request: SnapshotPage.Request, start: [SourceID: Int64]) {
        self.number = number
        self.request = request
        self.start = start
    }

    /// Only what was written since the subscriber was here: changes, not a state.
    var isCatchingUp: Bool { request.since != nil }

    mutating func take(_ page: SnapshotPage) {
        isReading = false
        request.after = page.next
        isDone = page.next == nil
    }
}
