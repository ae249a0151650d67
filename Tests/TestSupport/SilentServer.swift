internal import Foundation

/// Where Postgres could be, and nobody answers: the kernel takes connections, and that is all.
package final class SilentServer {
    private let folder: String
    private let descriptor: Int32
    /// libpq's.
    package var parameters: [String: String] { ["host": folder, "user": "nobody", "dbname": "nothing"] }

    package init() throws {
        folder = try shell("mktemp -d /tmp/millrace-silent-XXXXXX")
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: "\(folder)/.s.PGSQL.5432".utf8) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
        }
        guard result == 0, listen(descriptor, 8) == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
    }

    deinit {
        close(descriptor)
        try? FileManager.default.removeItem(atPath: folder)
    }
}
