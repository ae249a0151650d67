import Common
import Foundation
import Testing
import WebServer

@Suite("A socket that the server accepted", .timeLimit(.minutes(1)))
struct AcceptedSocketTests {
    @Test("Small messages don't wait for acknowledgements")
    func noDelay() throws {
        let server = try WebServerThread(ListenAddress("127.0.0.1:0")!, limits: .init(), name: "test") { Routes() }
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(client) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        address.sin_port = server.address.port.bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(client, $0, size) }
        }
        try #require(result == 0)
        let own = Self.port(of: client, getsockname)
        // The server runs in this process, so its end of the connection is one of our descriptors.
        var isUndelayed = false
        for _ in 0..<4000 where !isUndelayed {
            let accepted = try Self.descriptors().first { $0 != client && Self.port(of: $0, getpeername) == own }
            isUndelayed = accepted.map { Self.isUndelayed($0) } ?? false
            if !isUndelayed { Thread.sleep(forTimeInterval: 0.005) }
        }
        #expect(isUndelayed)
    }

    /// That this process has.
    private static func descriptors() throws -> [Int32] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { Int32($0) }
    }

    private static func isUndelayed(_ descriptor: Int32) -> Bool {
        var value: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &value, &size)
        return value != 0
    }

    private static func port(
        of descriptor: Int32,
        _ ask: (Int32, UnsafeMutablePointer<sockaddr>?, UnsafeMutablePointer<socklen_t>?) -> Int32
    ) -> UInt16? {
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { ask(descriptor, $0, &size) }
        }
        return result == 0 && address.sin_family == sa_family_t(AF_INET) ? address.sin_port : nil
    }
}
