private import CLibpq

/// How far a script has come on a connection.
struct RunningScript {
    enum Phase {
        case results
        /// Sending `copies[index]` from `offset`.
        case copying(index: Int, offset: Int)
    }

    let copies: [CopyData]
    var phase = Phase.results
    var copiesDone = 0
    var results: [QueryResult] = []
    /// The first error; what follows it in the script was cancelled.
    var error: PostgresError?
    var isRollingBack = false
}

extension Connection {
    /// Data goes to libpq in pieces, which it holds until the socket takes them: a batch's byte limit bounds that.
    private static let copyPieceByteCount = 256 * 1024

    /// Sends a script. Nothing else may be running.
    package mutating func start(_ script: Script) throws(PostgresError) {
        guard !isBroken else {
            throw PostgresError(operation: "send", sqlState: "", message: "the connection was lost before")
        }
        precondition(running == nil, "one script at a time")
        guard PQsendQuery(handle, script.sql) == 1 else { throw connectionError("send") }
        running = RunningScript(copies: script.copies)
    }

    /// Looks at a connection on which nothing runs, when its descriptor is readable: the server may have ended it.
    package func checkIdle() throws(PostgresError) {
        guard PQconsumeInput(handle) == 1, PQstatus(handle) == CONNECTION_OK else { throw connectionError("idle") }
    }

    /// Goes as far as it can without waiting.
    ///
    /// - Throws: the script's first error, when the transaction it was in is rolled back and the connection
    ///   is ready for the next script; or an outage, after which the connection is of no more use and the
    ///   outcome of a COMMIT in the script is unknown.
    package mutating func advance() throws(PostgresError) -> Progress {
        do throws(PostgresError) {
            return try goOn()
        } catch {
            // Thrown with a script still under way: it never got to its end.
            if running != nil { isBroken = true }
            throw error
        }
    }

    private mutating func goOn() throws(PostgresError) -> Progress {
        while true {
            guard case .some(var script) = running else { preconditionFailure("no script is running") }
            if case .copying(let index, let offset) = script.phase {
                let isSent = try copy(&script, index: index, from: offset)
                // Also when libpq took only a part: what it has must not be sent again.
                running = script
                guard isSent else { return .waiting(.readOrWrite) }
            }
            let flushed = PQflush(handle)
            guard flushed >= 0, PQconsumeInput(handle) == 1 else { throw connectionError("receive") }
            if PQisBusy(handle) == 1 { return .waiting(flushed == 0 ? .read : .readOrWrite) }
            guard let result = PQgetResult(handle) else {
                // A connection that is gone leaves the script where it is: its outcome is unknown.
                guard PQstatus(handle) == CONNECTION_OK else { throw connectionError("receive") }
                running = nil
                if let finished = try end(script) { return .finished(finished) }
                continue
            }
            try take(result, into: &script)
            running = script
        }
    }

    /// False when libpq can take no more for now.
    private func copy(_ script: inout RunningScript, index: Int, from start: Int) throws(PostgresError) -> Bool {
        let data = script.copies[index].writer.bytes
        var offset = start
        while offset < data.count {
            let count = min(Self.copyPieceByteCount, data.count - offset)
            let piece = (data.baseAddress! + offset).assumingMemoryBound(to: CChar.self)
            let result = PQputCopyData(handle, piece, Int32(count))
            guard result >= 0 else { throw connectionError("copy") }
            guard result == 1 else { return false }
            offset += count
            script.phase = .copying(index: index, offset: offset)
        }
        let ended = PQputCopyEnd(handle, nil)
        guard ended >= 0 else { throw connectionError("copy") }
        guard ended == 1 else { return false }
        script.phase = .results
        script.copiesDone += 1
        return true
    }

    private func take(_ result: OpaquePointer, into script: inout RunningScript) throws(PostgresError) {
        switch PQresultStatus(result) {
        case PGRES_TUPLES_OK: script.results.append(QueryResult(result))
        case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: PQclear(result)
        case PGRES_COPY_IN:
            PQclear(result)
            precondition(script.copiesDone < script.copies.count, "the script has a COPY without data")
            script.phase = .copying(index: script.copiesDone, offset: 0)
        default:
            defer { PQclear(result) }
            guard PQstatus(handle) == CONNECTION_OK else { throw connectionError("receive") }
            if script.error == nil { script.error = Self.error(of: result) }
        }
    }

    /// The results, or nil when a rollback has been sent and is to be waited for.
    private mutating func end(_ script: RunningScript) throws(PostgresError) -> [QueryResult]? {
        guard let error = script.error else { return script.results }
        if PQtransactionStatus(handle) == PQTRANS_IDLE { throw error }
        precondition(!script.isRollingBack, "ROLLBACK ends every transaction")
        guard PQsendQuery(handle, "ROLLBACK") == 1 else { throw connectionError("send") }
        running = RunningScript(copies: [], error: error, isRollingBack: true)
        return nil
    }

    private static func error(of result: OpaquePointer) -> PostgresError {
        func field(_ code: Character) -> String {
            PQresultErrorField(result, Int32(code.asciiValue!)).map { String(cString: $0) } ?? ""
        }
        return PostgresError(
            operation: "execute", sqlState: field("C"), message: field("M"), detail: field("D"),
            constraint: field("n"))
    }
}
