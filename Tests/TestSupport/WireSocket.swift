internal import Foundation

/// A connected stream socket, read message by message. One thread reads and one other writes; any thread may end it.
final class WireSocket: Sendable {
    /// Larger messages end the connection.
    private static let messageByteLimit = 64 * 1024 * 1024
    private let descriptor: Int32

    /// Takes the descriptor over.
    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        // What the parent of a server under test spawns must not keep its connections.
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    deinit {
        close(descriptor)
    }

    /// Nil when nobody listens there.
    static func connect(path: String) -> WireSocket? {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        let connection = WireSocket(descriptor)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        precondition(path.utf8.count < MemoryLayout.size(ofValue: address.sun_path))
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Foundation.connect(descriptor, $0, size) }
        }
        return result == 0 ? connection : nil
    }

    /// Ends both directions, for the peer and for threads of ours that wait.
    func end() {
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    /// Nil at the end of the connection.
    func receive(isFirstOfClient: Bool = false) -> WireMessage? {
        let typeCount = isFirstOfClient ? 0 : 1
        guard var bytes = read(typeCount + 4) else { return nil }
        let length = bytes[typeCount...].reduce(0) { $0 << 8 | Int($1) }
        guard (4...Self.messageByteLimit).contains(length), let body = read(length - 4) else { return nil }
        bytes += body
        return WireMessage(bytes: bytes, type: isFirstOfClient ? 0 : bytes[0])
    }

    private func read(_ count: Int) -> [UInt8]? {
        var received = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            while received < count {
                let taken = recv(
                    descriptor, buffer.baseAddress! + received, count - received, Int32(MSG_WAITALL))
                if taken < 0, errno == EINTR { continue }
                guard taken > 0 else { break }
                received += taken
            }
            initialized = received
        }
        return received == count ? bytes : nil
    }

    /// False at the end of the connection.
    func send(_ message: WireMessage) -> Bool {
        message.bytes.withUnsafeBytes { bytes in
            var sent = 0
            while sent < bytes.count {
                let count = Foundation.send(
                    descriptor, bytes.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                sent += count
            }
            return true
        }
    }
}
