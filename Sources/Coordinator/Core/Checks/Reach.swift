private import CLinux
import Foundation

/// Whether this machine gets through to an address, by TCP alone: no login, no protocol.
enum Reach {
    private static let limitMilliseconds: Int32 = 3000

    /// Nil when some address of the host takes a connection; else why none does. Blocking.
    static func problem(_ host: String, _ port: Int32) -> String? {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &list)
        guard code == 0, let list else { return String(cString: gai_strerror(code)) }
        defer { freeaddrinfo(list) }
        var reason = "no address"
        var next: UnsafeMutablePointer<addrinfo>? = list
        while let address = next?.pointee {
            guard let failure = connect(address) else { return nil }
            reason = failure
            next = address.ai_next
        }
        return reason
    }

    private static func connect(_ address: addrinfo) -> String? {
        let type = address.ai_socktype | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(address.ai_family, type, address.ai_protocol)
        guard descriptor >= 0 else { return String(cString: strerror(errno)) }
        defer { close(descriptor) }
        if Glibc.connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 { return nil }
        guard errno == EINPROGRESS else { return String(cString: strerror(errno)) }
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        guard poll(&entry, 1, limitMilliseconds) > 0 else { return "no answer" }
        var code: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size) == 0, code != 0 else { return nil }
        return String(cString: strerror(code))
    }
}
