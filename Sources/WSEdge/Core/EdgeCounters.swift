import Common
import Synchronization

/// What the server's thread counts and the feed's thread reports.
final class EdgeCounters: Sendable {
    /// Of a stream, by the feed's thread.
    struct Feed: Sendable {
        /// Times that rows did not come.
        var repairs = 0
        /// Milliseconds from a COMMIT to its rows here.
        var lag = Histogram()
    }

    struct Values: Sendable {
        var clients = 0
        var messages: Int64 = 0
        var slowClients = 0
        var letGo: Int64 = 0
        /// Requests for logs and their segments.
        var logRequests: Int64 = 0
        var feeds: [String: Feed] = [:]
    }

    private let values = Mutex(Values())

    func update(_ change: (inout Values) -> Void) { values.withLock { change(&$0) } }

    var now: Values { values.withLock { $0 } }
}
