import Testing
import ZeroMQ

/// The ways not to belong.
enum Stranger: CaseIterable, Sendable {
    case withoutKeys, withUnlistedKey, withWrongServerKey

    /// A client that tries to reach the server through the counter.
    func connect(
        _ kind: Socket.Kind, to server: GuardedServer, allowed: CurveKeyPair, through counter: ConnectionCounter
    ) throws -> Socket {
        switch self {
        case .withoutKeys:
            try server.client(kind, "stranger", nil, at: counter.endpoint)
        case .withUnlistedKey:
            try server.client(kind, "stranger", .generate(), at: counter.endpoint)
        case .withWrongServerKey:
            // Even with a key that is in the list.
            try server.client(
                kind, "stranger", allowed, server: CurveKeyPair.generate().publicKey, at: counter.endpoint)
        }
    }

    /// Serves until a connection of it has ended in the middle of the handshake, whoever of the two hung up.
    func isTurnedAway(by server: GuardedServer, _ counter: ConnectionCounter) throws {
        // Only who knows the server's key and proves its own gets as far as the list.
        let refusedCount = self == .withUnlistedKey ? 1 : 0
        try server.serve(until: "the server turns away a client \(self)") {
            counter.endedCount >= 1 && server.refusedCount >= refusedCount
        }
        #expect(server.refusedCount == refusedCount)
    }
}
