import Synchronization

/// What the server's thread counts and the feed's thread reports.
final class EdgeCounters: Sendable {
    struct Values: Sendable {
        var clients = 0
        var messages: Int64 = 0
        var slowClients = 0
    }

    private let values = Mutex(Values())

    func update(_ change: (inout Values) -> Void) { values.withLock { change(&$0) } }

    var now: Values { values.withLock { $0 } }
}
