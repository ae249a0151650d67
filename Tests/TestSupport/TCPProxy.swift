internal import Foundation
internal import Synchronization

/// Stands between clients and a Postgres server on a Unix socket, and cuts connections around COMMIT as it is told.
///
/// It listens on a port of 127.0.0.1 that the kernel picks. `stop` ends its connections and threads.
package final class TCPProxy: Sendable {
    private struct State {
        var connections: [Int: ProxiedConnection] = [:]
        var opened = 0
        var isStopped = false
    }

    /// More clients than this are turned away: two threads each.
    private static let connectionLimit = 64

    package let port: UInt16
    private let path: String
    private let listener: WireSocket
    private let plan = CutPlan()
    private let state = Mutex(State())
    private let threads = DispatchGroup()

    /// - Parameter path: the server's socket.
    package init(to path: String) throws {
        self.path = path
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
        listener = WireSocket(descriptor)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard bind(descriptor, address, size) == 0, listen(descriptor, 64) == 0 else { return Int32(-1) }
                return getsockname(descriptor, address, &size)
            }
        }
        guard result == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
        port = UInt16(bigEndian: address.sin_port)
        threads.enter()
        let thread = Thread { [self] in
            while accept(from: descriptor) {}
            threads.leave()
        }
        thread.name = "proxy"
        thread.start()
    }

    /// What a client needs instead of the server's own parameters. Encryption would hide COMMIT.
    package func parameters(_ direct: [String: String]) -> [String: String] {
        let own = ["host": "127.0.0.1", "port": String(port), "sslmode": "disable", "gssencmode": "disable"]
        return direct.merging(own) { $1 }
    }

    /// Plans what happens to the next transactions that end with COMMIT in one script, on whichever connection they
    /// come, behind what is planned already; nil lets one pass.
    package func cut(_ cuts: [CommitCut?]) { plan.add(cuts) }

    /// Forgets what is planned.
    package func cutNoMore() { plan.removeAll() }

    /// Cuts that were made.
    package var cuts: [CommitCut: Int] { plan.made }

    /// Cuts that are planned and not made yet.
    package var pendingCuts: Int { plan.pendingCount }

    package func stop() {
        let open = state.withLock { state in
            state.isStopped = true
            return Array(state.connections.values)
        }
        listener.end()
        for connection in open { connection.end() }
        threads.wait()
    }

    /// False when the proxy is stopped.
    private func accept(from descriptor: Int32) -> Bool {
        let accepted = Foundation.accept(descriptor, nil, nil)
        guard accepted >= 0 else { return errno == EINTR || errno == ECONNABORTED }
        var on: Int32 = 1
        setsockopt(accepted, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        let client = WireSocket(accepted)
        // As a server that is away would answer.
        guard let server = WireSocket.connect(path: path) else { return true }
        let connection = ProxiedConnection(client: client, server: server, plan: plan)
        let number: Int? = state.withLock { state in
            guard !state.isStopped, state.connections.count < Self.connectionLimit else { return nil }
            state.opened += 1
            state.connections[state.opened] = connection
            return state.opened
        }
        guard let number else { return true }
        threads.enter()
        connection.start { [self] in
            state.withLock { $0.connections[number] = nil }
            threads.leave()
        }
        return true
    }
}
