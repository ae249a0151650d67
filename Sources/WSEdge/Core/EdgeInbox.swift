import Common
import Feed
import Foundation
import Postgres
import WebServer

/// What other threads tell the server's.
///
/// Bounded: whoever delivers rows waits while too many wait here; of replays there is one a subscription.
///
/// Sendable by this proof: whatever changes is read and written with the condition locked; the rest is constant.
final class EdgeInbox: @unchecked Sendable {
    enum Item {
        /// A stream is followed from here on; if it was before, its positions mean nothing any more.
        case began(StreamFeed.Opening)
        case delivered(stream: String, number: Int, StreamRing.Entry)
        /// The sources of a stream as they are now.
        case sources(stream: String, number: Int, [SourceID: StreamState.Source])
        /// Every stream of the fleet, and librdkafka's properties; without any, nothing can be published.
        case configured([StoredStream], kafka: [String: String])
        /// Rows before what comes next were deleted before this edge could read them.
        case lost(stream: String, number: Int)
        /// Rows of a stream that are committed can't be read, until somebody has mended that.
        case unreadable(stream: String, PostgresError)
        case readable(stream: String)
        /// How far a stream is, for a client who resumes.
        case state(ResumeRequest, Result<StreamState, PostgresError>)
        /// The newest rows of a log, for a client who begins with them.
        case newest(ResumeRequest, Result<RowPage, PostgresError>)
        case read(Reading.Key, Readings.Answer)
        /// A page of a stream's `KeyedRows`.
        case keyedRows(stream: String, UInt64, SnapshotPage.Request, Result<SnapshotPage, PostgresError>)
        case page(UInt64, Result<HTTPResponse, PostgresError>)
        case log(LogAnswers.Key, Result<HTTPResponse, PostgresError>)
        case access(AccessEvent)
        /// The files of TLS may have changed.
        case certificates
        /// Whether a worker was heard of late.
        case health(isHeard: Bool)
        case drain
    }

    // Everything below is guarded by it.
    private let condition = NSCondition()
    private var items: [Item] = []
    let waker: ServerWaker
    private var isClosed = false

    private static let itemLimit = 256

    init(_ waker: ServerWaker) {
        self.waker = waker
    }

    /// Waits while there is no room, until there is or nobody takes any more.
    func deliver(_ item: Item) {
        condition.lock()
        while items.count >= Self.itemLimit, !isClosed { condition.wait() }
        condition.unlock()
        put(item)
    }

    func put(_ item: Item) {
        condition.lock()
        defer { condition.unlock() }
        guard !isClosed else { return }
        items.append(item)
        if items.count == 1 { waker.wake() }
    }

    func takeAll() -> [Item] {
        condition.lock()
        defer {
            items = []
            condition.broadcast()
            condition.unlock()
        }
        return items
    }

    /// Before the server is gone.
    func close() {
        condition.lock()
        isClosed = true
        condition.broadcast()
        condition.unlock()
    }
}
