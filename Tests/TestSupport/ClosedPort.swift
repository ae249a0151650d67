internal import Glibc

/// A port of this machine that refuses connections for as long as this lives: nobody else can be given it.
package final class ClosedPort: Sendable {
    package let number: UInt16
    private let descriptor: Int32

    /// `127.0.0.1:PORT`.
    package var address: String { "127.0.0.1:\(number)" }

    package init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let (handle, given) = (descriptor, size)
        // Bound, and never listened on.
        let isBound = withUnsafeMutablePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(handle, address, given) == 0 && getsockname(handle, address, &size) == 0
            }
        }
        number = UInt16(bigEndian: address.sin_port)
        guard isBound else { throw ShellFailure(command: "bind a port", output: String(cString: strerror(errno))) }
    }

    deinit {
        close(descriptor)
    }
}
