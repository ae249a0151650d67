import TestSupport
import Testing
import ZeroMQ

@Suite("Garbage on a guarded port", .timeLimit(.minutes(2)))
struct GarbageTests {
    private static let connectionCount = 200

    /// ZMTP 3.1, https://rfc.zeromq.org/spec/37/: signature, version, mechanism, not a server, filler.
    private func greeting(_ mechanism: String) -> [UInt8] {
        var bytes: [UInt8] = [0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 0x7F, 3, 1]
        bytes += Array(mechanism.utf8)
        bytes += [UInt8](repeating: 0, count: 64 - bytes.count)
        return bytes
    }

    /// What a connection writes before its noise, by its number: nothing, or what looks right for a while.
    private func head(_ number: Int) -> [UInt8] {
        switch number % 8 {
        case 0, 1: return []
        // Older versions, which know no security.
        case 2: return [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 0]
        case 3: return [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 1]
        case 4: return greeting("NULL")
        case 5: return greeting("CURVE")
        // A command of the right size and name, with noise for a box.
        case 6: return greeting("CURVE") + ([0x04, 200, 5] as [UInt8]) + Array("HELLO".utf8) + ([1, 0] as [UInt8])
        // A command that claims to be 2^62 bytes long.
        default: return greeting("CURVE") + ([0x06, 0x40, 0, 0, 0, 0, 0, 0, 0] as [UInt8])
        }
    }

    private func garbage(_ number: Int, _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = head(number)
        for _ in 0..<Int.random(in: 256...8192, using: &random) {
            bytes.append(UInt8.random(in: 0...255, using: &random))
        }
        return bytes
    }

    @Test("Two hundred connections full of garbage don't disturb an allowed client", arguments: [UInt64(1), 2, 3])
    func flood(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let own = try CurveKeyPair.generate()
        let server = try GuardedServer(.router, allowing: [own.publicKey])
        let client = try server.client(.dealer, "edge", own)
        var connections: [(number: Int, connection: PlainConnection)] = []
        for number in 0..<Self.connectionCount {
            let connection = try PlainConnection(port: server.port)
            connection.write(garbage(number, &random))
            connections.append((number, connection))
            if number % 10 == 0 { try server.converse(with: client, named: "edge", "while \(number)") }
        }
        // All that can be known to be garbage is hung up on. What may yet become a long command (5) is left to
        // libzmq's limit for handshakes, 30 s.
        try server.serve(until: "the server has hung up on the garbage") {
            connections.removeAll { $0.connection.read() == nil }
            return connections.allSatisfy { $0.number % 8 == 5 }
        }
        try server.converse(with: client, named: "edge", "afterwards")
        // The server still takes new clients, too.
        let other = try server.client(.dealer, "other", own)
        try server.converse(with: other, named: "other", "hello")
        #expect(server.heard.keys.sorted() == ["edge", "other"])
        #expect(server.refusedCount == 0)
    }

    @Test("Connections that say nothing don't disturb an allowed client")
    func silence() throws {
        let own = try CurveKeyPair.generate()
        let server = try GuardedServer(.router, allowing: [own.publicKey])
        let connections = try (0..<Self.connectionCount).map { _ in try PlainConnection(port: server.port) }
        let client = try server.client(.dealer, "edge", own)
        try server.converse(with: client, named: "edge", "hello")
        #expect(server.heard.keys.sorted() == ["edge"])
        withExtendedLifetime(connections) {}
    }

    @Test("Fifty strangers at once are each refused and counted, and an allowed client is let in between them")
    func crowd() throws {
        let own = try CurveKeyPair.generate()
        let server = try GuardedServer(.router, allowing: [own.publicKey])
        let context = Context()
        let crowd = try (0..<50).map { _ in try Intruder(of: server, in: context) }
        let client = try server.client(.dealer, "edge", own)
        try server.converse(with: client, named: "edge", "hello")
        try server.serve(until: "all are refused") { server.refusedCount == 50 }
        try server.converse(with: client, named: "edge", "still here")
        #expect(server.heard.keys.sorted() == ["edge"])
        #expect(server.refusedCount == 50)
        withExtendedLifetime(crowd) {}
    }

    /// A class, since an array can't hold sockets.
    private final class Intruder {
        private let socket: Socket

        init(of server: GuardedServer, in context: Context) throws {
            socket = try Socket(.dealer, in: context)
            try socket.actAsCurveClient(.generate(), server: server.keys.publicKey)
            try socket.connect(server.endpoint)
            #expect(try socket.send([Array("let me in".utf8)]))
        }
    }
}
