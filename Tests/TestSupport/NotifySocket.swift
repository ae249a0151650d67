internal import Foundation

/// The service manager's side of sd_notify(3): a bound datagram socket.
package final class NotifySocket {
    /// What the service finds in NOTIFY_SOCKET.
    package let name: String
    private let descriptor: Int32

    /// - Parameter isAbstract: in the abstract namespace, else a path.
    package init(isAbstract: Bool) throws {
        let path = "/tmp/mr-notify-\(UUID().uuidString.prefix(8))"
        name = isAbstract ? "@" + path : path
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw ShellFailure(command: "socket", output: "\(errno)") }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = (isAbstract ? [0] : []) + Array(path.utf8) + (isAbstract ? [] : [0])
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let size = socklen_t(MemoryLayout.offset(of: \sockaddr_un.sun_path)! + bytes.count)
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
        }
        guard bound == 0 else { throw ShellFailure(command: "bind \(name)", output: "\(errno)") }
    }

    deinit {
        close(descriptor)
        if name.hasPrefix("/") { unlink(name) }
    }

    /// The next datagram; nil when none comes for so long.
    package func receive(_ limit: Duration = .seconds(60)) -> String? {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, Int32(limit / .milliseconds(1))) > 0 else { return nil }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
    }

    /// Datagrams up to the first that is as wanted, that one included.
    package func receive(until isWanted: (String) -> Bool) -> [String] {
        var all: [String] = []
        while let text = receive() {
            all.append(text)
            if isWanted(text) { return all }
        }
        return all
    }
}
