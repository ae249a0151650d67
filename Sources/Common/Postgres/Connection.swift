private import CLibpq
private import Glibc

/// A non-blocking connection to Postgres. Owned by one thread; no call waits for the server.
///
/// Its owner waits for `descriptor` as `connect()` and `advance()` ask, and calls them again.
package struct Connection: ~Copyable {
    /// What to wait for before the next call.
    package enum Interest: Sendable {
        case read
        case write
        case readOrWrite
    }

    package enum Progress {
        case waiting(Interest)
        /// The results of the script's statements that return rows, in order.
        case finished([QueryResult])
    }

    let handle: OpaquePointer
    /// libpq is done with connecting; what a session sets is under way.
    private var isOpen = false
    var running: RunningScript?
    /// Set once the connection is of no more use: what was under way has an unknown outcome.
    var isBroken: Bool

    /// Starts to connect. `parameters` are libpq's own; what they leave out comes from PG* variables,
    /// service and password files (Postgres documentation, 34.1.2).
    package init(parameters: [String: String]) throws(PostgresError) {
        self.init(handle: try Self.start(parameters))
    }

    private init(handle: OpaquePointer) {
        self.handle = handle
        running = nil
        isBroken = false
    }

    private static func start(_ parameters: [String: String]) throws(PostgresError) -> OpaquePointer {
        let fixed = [
            "fallback_application_name": "millrace", "keepalives_idle": "10",
            "keepalives_interval": "5", "keepalives_count": "3", "tcp_user_timeout": "25000",
        ]
        let merged = fixed.merging(parameters) { _, given in given }
        let strings = merged.flatMap { [strdup($0.key), strdup($0.value)] }
        defer { for string in strings { free(string) } }
        var names: [UnsafePointer<CChar>?] = []
        var values: [UnsafePointer<CChar>?] = []
        for index in stride(from: 0, to: strings.count, by: 2) {
            names.append(strings[index].map { UnsafePointer($0) })
            values.append(strings[index + 1].map { UnsafePointer($0) })
        }
        guard let handle = PQconnectStartParams(names + [nil], values + [nil], 0) else {
            throw PostgresError(operation: "connect", sqlState: "53200", message: "out of memory")
        }
        // With the SQLSTATE of what a server answers to a login: `ConnectionFailure` reads it.
        _ = PQsetErrorVerbosity(handle, PQERRORS_VERBOSE)
        // The server's notices are not ours to print; errors come as results.
        _ = PQsetNoticeReceiver(handle, { _, _ in }, nil)
        return handle
    }

    deinit {
        PQfinish(handle)
    }

    /// Changes while connecting (libpq tries several addresses): ask before each wait. Negative when there is nothing
    /// to wait for: the next call tells what is wrong.
    package var descriptor: Int32 { PQsocket(handle) }

    /// Whether the connection is of no more use, as far as is known without asking.
    package var isLost: Bool { isBroken || PQstatus(handle) != CONNECTION_OK }

    /// What a request to cancel would name. Not the backend's own where something stands between.
    package var cancelPID: Int32 { PQbackendPID(handle) }

    /// Goes on connecting, from the first call on; nil when the connection is ready.
    package mutating func connect() throws(PostgresError) -> Interest? {
        if !isOpen {
            switch PQconnectPoll(handle) {
            case PGRES_POLLING_READING: return .read
            case PGRES_POLLING_WRITING: return .write
            case PGRES_POLLING_OK: break
            default: throw connectionError("connect")
            }
            guard PQsetnonblocking(handle, 1) == 0 else { throw connectionError("connect") }
            isOpen = true
            try start(Script(Self.settingsSQL))
        }
        switch try advance() {
        case .waiting(let interest): return interest
        case .finished: return nil
        }
    }

    /// What every session sets before anything else, whatever server, database, role and PGOPTIONS have set: what is
    /// read has one form (`ColumnValue` reads it back), what is committed stays, and rows that a policy would hide are
    /// an error instead of a gap (row_security, Postgres documentation, 20.11.1).
    ///
    /// A query of its own: a script that is rolled back would take these with it, and literals of the same script would
    /// be read by the old standard_conforming_strings. Startup parameters would save its round trip, but PgBouncer
    /// refuses those that it does not know, and whoever has PGOPTIONS would lose them.
    private static let settingsSQL = """
        SET client_encoding = 'UTF8'; SET DateStyle = 'ISO, YMD'; SET TimeZone = 'UTC'; SET IntervalStyle = 'postgres';
        SET extra_float_digits = 1; SET bytea_output = 'hex'; SET standard_conforming_strings = on;
        SET row_security = off; SET synchronous_commit = on
        """

    /// Text quoted as an SQL literal, whatever it holds.
    package func literal(_ text: String) throws(PostgresError) -> String {
        guard let quoted = PQescapeLiteral(handle, text, text.utf8.count) else { throw connectionError("quote") }
        defer { PQfreemem(quoted) }
        return String(cString: quoted)
    }

    /// The same where there is no connection at hand, for sessions of ours: `standard_conforming_strings` is on.
    package static func literal(_ text: String) -> String { quoted(text, by: UInt8(ascii: "'")) }

    /// A name quoted as an SQL identifier.
    package static func identifier(_ name: String) -> String { quoted(name, by: UInt8(ascii: "\"")) }

    /// By bytes: to Swift a quote behind some scalars is no character of its own (UAX 29, GB9b), and would not be found. What
    /// Postgres can't hold, NUL, is left out.
    private static func quoted(_ text: String, by quote: UInt8) -> String {
        var bytes = [quote]
        for byte in text.utf8 where byte != 0 {
            if byte == quote { bytes.append(quote) }
            bytes.append(byte)
        }
        bytes.append(quote)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A table's name quoted with its schema, so that no search path decides: `public` unless it names one (`ops.events`).
    package static func table(_ name: String) -> String {
        let (schema, table) = schemaAndTable(name)
        return identifier(schema) + "." + identifier(table)
    }

    package static func schemaAndTable(_ name: String) -> (schema: String, table: String) {
        guard let dot = name.firstIndex(of: ".") else { return ("public", name) }
        return (String(name[..<dot]), String(name[name.index(after: dot)...]))
    }

    /// Without the connection string: it may hold a password.
    func connectionError(_ operation: String) -> PostgresError {
        let failure = ConnectionFailure(String(cString: PQerrorMessage(handle)))
        // A session that a server ends for whatever reason can be made again.
        let sqlState = operation == "connect" ? failure.sqlState : ""
        return PostgresError(operation: operation, sqlState: sqlState, message: failure.message)
    }
}
