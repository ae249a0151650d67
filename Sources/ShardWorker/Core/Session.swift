import Common
import Postgres
import ZeroMQ

/// The worker's connection to Postgres and what is under way on it.
final class Session {
    enum Activity {
        case connecting
        case idle
        case claiming(Set<SourceID>)
        case resuming(lane: Int)
        case dropping(Set<SourceID>)
        /// Dead letters that are to be replayed.
        case reading(SourceID)
        /// Making a stream's stage table.
        case staging(lane: Int)
        case writing(lane: Int)

        /// The stream whose definition or rows Postgres may refuse by it; nil where it has none of these.
        var lane: Int? {
            switch self {
            case .connecting, .idle, .claiming, .resuming, .dropping, .reading: nil
            case .staging(let lane), .writing(let lane): lane
            }
        }
    }

    /// Streams whose stage tables this session has.
    var stagedLanes: Set<Int> = []

    private var connection: Connection
    /// Within it the session has to be ready: libpq bounds only its own, blocking way to connect.
    private static let connectLimit = Duration.seconds(10)
    private let startedAt = ContinuousClock.now
    private(set) var activity = Activity.connecting
    private(set) var interest: Poller.Events = .write

    init(_ parameters: [String: String]) throws(PostgresError) {
        connection = try Connection(parameters: parameters)
    }

    var descriptor: Int32 { connection.descriptor }

    var isIdle: Bool { if case .idle = activity { true } else { false } }

    var isReady: Bool {
        if case .connecting = activity { false } else { true }
    }

    /// Longer than a server takes that is there: a packet was lost, and TCP doubles the time until it sends it again.
    var isOverdue: Bool { !isReady && .now - startedAt > .seconds(1) }

    /// When the server has taken too long to let us in; nil once it has.
    var connectDeadline: ContinuousClock.Instant? { isReady ? nil : startedAt + Self.connectLimit }

    func start(_ script: Script, _ activity: Activity) throws(PostgresError) {
        self.activity = activity
        try connection.start(script)
        interest = [.read, .write]
    }

    /// Goes on without waiting. Returns what has finished, if anything; then, and when it throws anything but an
    /// outage, the session is idle.
    func serve() throws(PostgresError) -> (Activity, [QueryResult])? {
        switch activity {
        case .connecting:
            if let waiting = try connection.connect() {
                wait(for: waiting)
                return nil
            }
            becomeIdle()
            return (.connecting, [])
        case .idle:
            try connection.checkIdle()
            return nil
        case .claiming, .resuming, .dropping, .reading, .staging, .writing:
            switch try connection.advance() {
            case .waiting(let waiting):
                wait(for: waiting)
                return nil
            case .finished(let results):
                defer { becomeIdle() }
                return (activity, results)
            }
        }
    }

    func becomeIdle() {
        activity = .idle
        interest = .read
    }

    private func wait(for waiting: Connection.Interest) {
        interest =
            switch waiting {
            case .read: .read
            case .write: .write
            case .readOrWrite: [.read, .write]
            }
    }
}
