/// Says which clients may connect to the CURVE servers of a context: those whose public key is in a list.
///
/// It is the ZAP handler (https://rfc.zeromq.org/spec/27/) which libzmq asks in the middle of each handshake. One a
/// context: a second one throws (EADDRINUSE). It belongs to the thread that made it, is made before the sockets that
/// act as servers, and lives longer than they do.
///
/// Its owner adds it to the `Poller` it waits in, and calls `serve` when there is something to read. While nobody
/// serves, no client is let in, and none is turned away: handshakes wait, at most 30 s (ZMQ_HANDSHAKE_IVL), after
/// which a client tries again. Connections that exist go on. Without any handler a server refuses everybody
/// (see `Socket.actAsCurveServer`).
package final class Authenticator {
    /// Who is let in. A change counts from the next handshake: a connection that exists is not ended by it.
    package var allowedKeys: Set<CurvePublicKey>
    /// Requests that were answered with anything but success, or dropped, since it was made.
    package private(set) var refusedCount = 0

    let socket: Socket

    /// Every peer in the middle of a handshake is a request; what lies above waits for the next turn of the loop,
    /// so that a crowd of strangers does not keep the loop from its other work.
    private static let requestLimitPerTurn = 256

    package init(in context: Context, allowedKeys: Set<CurvePublicKey>) throws(ZeroMQError) {
        self.allowedKeys = allowedKeys
        // A router, unlike a reply socket, need not answer what makes no sense.
        socket = try Socket(.router, in: context)
        try socket.bind("inproc://zeromq.zap.01")
    }

    /// Answers what waits now. Never waits.
    package func serve() throws(ZeroMQError) {
        for _ in 0..<Self.requestLimitPerTurn {
            guard let parts = try socket.receive() else { return }
            guard let request = AuthenticationRequest(parts) else {
                refusedCount += 1
                continue
            }
            let (status, reason, key) = request.decide(allowedKeys: allowedKeys)
            if status != .success { refusedCount += 1 }
            // False: whoever asked has hung up meanwhile, and needs no answer.
            _ = try socket.send(request.reply(status, reason, key: key))
        }
    }
}
