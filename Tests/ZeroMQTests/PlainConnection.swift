import Glibc

/// A tcp connection without ZeroMQ, to a port of this host. Never waits after it is made.
final class PlainConnection {
    let descriptor: Int32

    struct Failure: Error {
        let what: String
        let code = errno
    }

    init(accepted descriptor: Int32) throws {
        self.descriptor = descriptor
        guard fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0 else { throw Failure(what: "fcntl") }
    }

    convenience init(port: UInt16) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(what: "socket") }
        let connected = withLoopback(port) { connect(descriptor, $0, $1) }
        guard connected == 0 else {
            close(descriptor)
            throw Failure(what: "connect")
        }
        try self.init(accepted: descriptor)
    }

    deinit {
        close(descriptor)
    }

    /// How many bytes were taken; what a full buffer or a peer that hung up doesn't take is dropped.
    @discardableResult
    func write(_ bytes: [UInt8]) -> Int {
        max(0, send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)))
    }

    /// What is there; nil when the other side has hung up.
    func read() -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 65536)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        if count > 0 { return Array(bytes[..<count]) }
        return count < 0 && errno == EAGAIN ? [] : nil
    }
}

func withLoopback(_ port: UInt16, _ call: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { call($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
}
