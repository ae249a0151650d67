private import CLinux
package import Common
private import Glibc

/// Ports of this machine that nobody listens at.
package enum FreePort {
    private static let attemptLimit = 200
    /// Below the kernel's range for outgoing connections (ip_local_port_range), so that none of those takes it while
    /// whoever it is for is down.
    private static let range: ClosedRange<UInt16> = 15_000...29_999

    /// One that is free now, on 127.0.0.1.
    package static func random() throws(StartError) -> UInt16 {
        for _ in 0..<attemptLimit {
            let port = UInt16.random(in: range)
            if isFree(port) { return port }
        }
        throw StartError("no free port was found on 127.0.0.1", .unavailable)
    }

    /// - Parameter host: a numeric address; of another one nothing is known, and whoever listens there will tell.
    package static func isFree(_ port: UInt16, host: String = "127.0.0.1") -> Bool {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST | AI_PASSIVE
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &found) == 0, let address = found else { return true }
        defer { freeaddrinfo(found) }
        let descriptor = socket(
            address.pointee.ai_family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return true }
        defer { close(descriptor) }
        // As servers do: connections that have ended don't count, those who listen do.
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        guard bind(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0 else { return false }
        return listen(descriptor, 1) == 0
    }
}
