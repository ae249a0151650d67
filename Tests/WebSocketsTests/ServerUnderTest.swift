import Foundation
import Synchronization
import WebSockets

/// An echoing server on a thread of its own, until `stop`.
final class ServerUnderTest: Sendable {
    private struct State {
        var port: UInt16?
        var waker: ServerWaker?
        var failure: String?
        var isStopping = false
        var hasEnded = false
    }

    private let state = Mutex(State())

    init() {
        let thread = Thread { [self] in
            do {
                let server = try WebSocketServer(host: "127.0.0.1", port: 0, path: "/ws", subprotocol: "test")
                state.withLock { ($0.port, $0.waker) = (server.port, server.waker) }
                server.run(EchoHandler()) { state.withLock { $0.isStopping } }
                state.withLock { $0.waker = nil }
            } catch {
                state.withLock { $0.failure = "\(error)" }
            }
            state.withLock { $0.hasEnded = true }
        }
        thread.start()
    }

    func address() throws -> String {
        while true {
            let (port, failure) = state.withLock { ($0.port, $0.failure) }
            if let failure { throw WebSocketFailure(description: failure) }
            if let port { return "127.0.0.1:\(port)" }
            Thread.sleep(forTimeInterval: 0.005)
        }
    }

    func stop() {
        state.withLock {
            $0.isStopping = true
            $0.waker?.wake()
        }
        while !state.withLock({ $0.hasEnded }) { Thread.sleep(forTimeInterval: 0.005) }
    }
}

struct WebSocketFailure: Error {
    let description: String
}
