private import Glibc

/// The same connection for callers that may wait: the coordinator's own threads, commands and tests.
extension Connection {
    /// Connects, waiting at most `timeout`.
    package static func open(
        parameters: [String: String], timeout: Duration = .seconds(10)
    ) throws(PostgresError) -> Connection {
        var connection = try Connection(parameters: parameters)
        let deadline = ContinuousClock.now + timeout
        var interest = Interest.write
        while true {
            try connection.wait(interest, until: deadline, "connect")
            guard let next = try connection.connect() else { return connection }
            interest = next
        }
    }

    /// Runs a script to its end, waiting at most `timeout`.
    @discardableResult
    package mutating func execute(
        _ script: Script, timeout: Duration = .seconds(60)
    ) throws(PostgresError) -> [QueryResult] {
        try start(script)
        let deadline = ContinuousClock.now + timeout
        while true {
            switch try advance() {
            case .finished(let results): return results
            case .waiting(let interest):
                do throws(PostgresError) {
                    try wait(interest, until: deadline, "execute")
                } catch {
                    isBroken = true
                    throw error
                }
            }
        }
    }

    @discardableResult
    package mutating func execute(_ sql: String, timeout: Duration = .seconds(60)) throws(PostgresError)
        -> [QueryResult]
    {
        try execute(Script(sql), timeout: timeout)
    }

    private func wait(_ interest: Interest, until deadline: ContinuousClock.Instant, _ operation: String)
        throws(PostgresError)
    {
        let events: Int32 =
            switch interest {
            case .read: POLLIN
            case .write: POLLOUT
            case .readOrWrite: POLLIN | POLLOUT
            }
        while descriptor >= 0 {
            let left = (deadline - .now).components
            let milliseconds = left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000
            guard milliseconds > 0 else {
                throw PostgresError(operation: operation, sqlState: "", message: "no answer in time")
            }
            var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
            let count = poll(&entry, 1, Int32(clamping: milliseconds))
            if count > 0 { return }
            guard count == 0 || errno == EINTR else {
                throw PostgresError(operation: operation, sqlState: "", message: "poll: errno \(errno)")
            }
        }
    }
}
