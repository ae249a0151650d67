import Glibc

/// Stands between a client and a server, and counts connections that ended: the condition by which a test knows that a
/// client was turned away when no one is told of it.
final class ConnectionCounter {
    private(set) var endedCount = 0
    let endpoint: String

    private let serverPort: UInt16
    private let listener: Int32
    private var pairs: [(client: PlainConnection, server: PlainConnection)] = []

    init(before serverPort: UInt16) throws {
        self.serverPort = serverPort
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.listener = listener
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let named = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard withLoopback(0, { bind(listener, $0, $1) }) == 0, listen(listener, 64) == 0 else { return false }
                return fcntl(listener, F_SETFL, O_NONBLOCK) == 0 && getsockname(listener, address, &size) == 0
            }
        }
        guard named else { throw PlainConnection.Failure(what: "listen") }
        endpoint = "tcp://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
    }

    deinit {
        close(listener)
    }

    /// Passes on what is there. Never waits.
    func step() throws {
        let accepted = accept(listener, nil, nil)
        if accepted >= 0 {
            pairs.append((try PlainConnection(accepted: accepted), try PlainConnection(port: serverPort)))
        }
        pairs = pairs.filter { client, server in
            guard let answer = server.read(), let request = client.read() else {
                endedCount += 1
                return false
            }
            client.write(answer)
            server.write(request)
            return true
        }
    }
}
