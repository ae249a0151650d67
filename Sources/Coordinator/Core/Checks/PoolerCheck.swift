import Common
import Postgres

/// Refuses a pooler that gives each transaction another session, such as PgBouncer with `pool_mode = transaction`: the
/// fleet's lock, its sessions' settings, temporary tables and claims all belong to a session.
enum PoolerCheck {
    /// An idle session is the first to be handed out; somebody else may have taken it.
    private static let tryCount = 5
    /// Feature not supported: no time mends it.
    private static let state = "0A000"

    /// - Throws: when two connections turn out to be served by one session.
    static func run(
        _ connection: inout Connection, _ parameters: [String: String]
    ) throws(PostgresError) {
        // Nothing is between when the backend is the one that a cancel request would name.
        guard try backend(&connection) != connection.cancelPID else { return }
        for _ in 0..<tryCount {
            var other = try Connection.open(parameters: parameters)
            guard try backend(&connection) == backend(&other) else { continue }
            throw PostgresError(
                operation: "look at the pooler", sqlState: state,
                message: "a pooler gives each transaction another session, but a fleet needs its sessions for itself; "
                    + "connect to Postgres directly, or set pool_mode = session for this database")
        }
    }

    private static func backend(_ connection: inout Connection) throws(PostgresError) -> Int32? {
        try connection.execute("SELECT pg_backend_pid()")[0].integer(0, 0).map { Int32(clamping: $0) }
    }
}
