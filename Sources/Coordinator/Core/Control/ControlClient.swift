package import Common
package import ZeroMQ

/// A command's end of the control channel: one question, one answer. Blocking.
package struct ControlClient: ~Copyable {
    private let endpoint: String
    private let socket: Socket

    /// - Parameter runtimeFolder: the fleet's.
    /// - Throws: `StartError` at once when none runs there.
    package init(runtimeFolder: String) throws {
        guard RuntimeFolder.isHeld(runtimeFolder) else {
            throw StartError("no coordinator runs in \(runtimeFolder); start one: coordinator start", .unavailable)
        }
        try self.init(endpoint: RuntimeFolder.controlEndpoint(in: runtimeFolder))
    }

    /// A coordinator on another host.
    /// - Parameter credentials: what `coordinator keys` printed there.
    package init(remote endpoint: String, _ credentials: CurveCredentials) throws {
        try self.init(endpoint: endpoint, credentials)
    }

    private init(endpoint: String, _ credentials: CurveCredentials? = nil) throws {
        let socket = try Socket(.dealer, in: Context())
        if let credentials { try socket.actAsCurveClient(credentials.own, server: credentials.server) }
        try socket.connect(endpoint)
        self.init(endpoint, socket)
    }

    private init(_ endpoint: String, _ socket: consuming Socket) {
        self.endpoint = endpoint
        self.socket = socket
    }

    /// - Throws: `StartError` when no coordinator answers in time, or it refuses.
    package func ask(_ request: CommandRequest, timeout: Duration = .seconds(10)) throws -> CommandReply {
        _ = try socket.send([try ControlEnvelope.encode(request)])
        let deadline = ContinuousClock.now + timeout
        var poller = Poller()
        poller.add(socket)
        while ContinuousClock.now < deadline {
            try poller.wait(deadline - .now)
            guard let parts = try socket.receive() else { continue }
            guard parts.count == 1 else { continue }
            let reply: CommandReply
            do throws(ForeignMessage) { reply = try ControlEnvelope.decode(parts[0]) } catch {
                throw StartError(
                    "the coordinator at \(endpoint) answers with \(error); run programs of one version", .unavailable)
            }
            if case .refused(let reason) = reply { throw StartError(reason, .usage) }
            return reply
        }
        throw StartError(
            "the coordinator at \(endpoint) has not answered for \(timeout); it may wait for Kafka or Postgres, and what was "
                + "asked may still be done; see: coordinator status", .unavailable)
    }

    package func status() throws -> StatusReport {
        guard case .status(let report) = try ask(.status) else {
            throw StartError("the coordinator at \(endpoint) is of another version", .unavailable)
        }
        return report
    }
}
