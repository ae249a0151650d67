import Foundation
import Testing
import ZeroMQ

@Suite("CURVE between sockets", .timeLimit(.minutes(2)))
struct CurveSocketTests {
    private let own: CurveKeyPair

    init() throws {
        own = try CurveKeyPair.generate()
    }

    @Test("An allowed client is heard and answered")
    func allowed() throws {
        let server = try GuardedServer(.router, allowing: [own.publicKey])
        let client = try server.client(.dealer, "edge", own)
        for number in 0..<20 { try server.converse(with: client, named: "edge", "message \(number)") }
        #expect(server.refusedCount == 0)
    }

    @Test("A stranger is not heard and gets nothing, while an allowed client goes on", arguments: Stranger.allCases)
    func control(stranger: Stranger) throws {
        let server = try GuardedServer(.router, allowing: [own.publicKey])
        let client = try server.client(.dealer, "edge", own)
        try server.converse(with: client, named: "edge", "before")
        let counter = try server.connectionCounter()
        let intruder = try stranger.connect(.dealer, to: server, allowed: own, through: counter)
        _ = try intruder.send([Array("let me in".utf8)])
        try stranger.isTurnedAway(by: server, counter)
        _ = try intruder.send([Array("let me in".utf8)])
        try server.converse(with: client, named: "edge", "after")
        #expect(server.heard.keys.sorted() == ["edge"])
        // The router doesn't even know its name.
        #expect(try server.socket.send([Array("stranger".utf8), [1]]) == false)
        #expect(try intruder.receive() == nil)
    }

    @Test("An allowed subscriber gets the feed, a stranger none of it", arguments: Stranger.allCases)
    func feed(stranger: Stranger) throws {
        let server = try GuardedServer(.publisher, allowing: [own.publicKey])
        let counter = try server.connectionCounter()
        let intruder = try stranger.connect(.subscriber, to: server, allowed: own, through: counter)
        try stranger.isTurnedAway(by: server, counter)
        let subscriber = try server.client(.subscriber, "edge", own)
        var received = 0
        try server.serve(until: "the subscriber has ten messages") {
            _ = try server.socket.send([Array("rows".utf8)])
            while let parts = try subscriber.receive() {
                #expect(parts == [Array("rows".utf8)])
                received += 1
            }
            return received >= 10
        }
        #expect(try intruder.receive() == nil)
    }

    @Test("A client speaks to nobody who only claims to be its server")
    func impostor() throws {
        let real = try CurveKeyPair.generate()
        let impostor = try GuardedServer(.router, allowing: [own.publicKey])
        let counter = try impostor.connectionCounter()
        let client = try impostor.client(.dealer, "edge", own, server: real.publicKey, at: counter.endpoint)
        #expect(try client.send([Array("for my server only".utf8)]))
        try impostor.serve(until: "the handshake has failed three times") { counter.endedCount >= 3 }
        #expect(impostor.heard.isEmpty)
    }

    @Test("A server without an authenticator lets nobody in")
    func failsClosed() throws {
        let server = try GuardedServer(.router, allowing: [], authenticates: false)
        let counter = try server.connectionCounter()
        let client = try server.client(.dealer, "edge", own, at: counter.endpoint)
        #expect(try client.send([[1]]))
        try server.serve(until: "the handshake has failed") { counter.endedCount >= 1 }
        #expect(server.heard.isEmpty)
    }

    @Test("A client that was refused stays away, and a new socket of it is let in once its key is listed")
    func listedLater() throws {
        let server = try GuardedServer(.router, allowing: [])
        let client = try server.client(.dealer, "edge", own)
        try server.serve(until: "the client knows that it was refused") {
            try server.refusedCount == 1 && !client.send([[1]])
        }
        server.authenticator?.allowedKeys.insert(own.publicKey)
        let again = try server.client(.dealer, "again", own)
        try server.converse(with: again, named: "again", "now")
        // The first socket neither tries again by itself, nor when it is told to connect to where it was.
        try client.connect(server.endpoint)
        #expect(try client.send([[1]]) == false)
        try server.converse(with: again, named: "again", "still")
        #expect(server.heard.keys.sorted() == ["again"])
        #expect(server.refusedCount == 1)
    }

    @Test("A client whose key leaves the list keeps its connection, and gets no new one")
    func unlisted() throws {
        let server = try GuardedServer(.router, allowing: [own.publicKey])
        let client = try server.client(.dealer, "edge", own)
        try server.converse(with: client, named: "edge", "one")
        server.authenticator?.allowedKeys = []
        try server.converse(with: client, named: "edge", "two")
        let again = try server.client(.dealer, "again", own)
        try server.serve(until: "the new connection is refused") { try server.refusedCount == 1 && !again.send([[1]]) }
        #expect(server.heard.keys.sorted() == ["edge"])
    }

    @Test("A router is open on the endpoint it bound before it became a CURVE server, and guarded on the next")
    func openAndGuarded() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "curve-\(UUID().uuidString)").path
        let server = try GuardedServer(.router, allowing: [own.publicKey], openEndpoint: "ipc://\(path)")
        let worker = try server.client(.dealer, "worker", nil, at: "ipc://\(path)")
        try server.converse(with: worker, named: "worker", "from this host")
        let counter = try server.connectionCounter()
        let intruder = try Stranger.withoutKeys.connect(.dealer, to: server, allowed: own, through: counter)
        _ = try intruder.send([Array("let me in".utf8)])
        try Stranger.withoutKeys.isTurnedAway(by: server, counter)
        let edge = try server.client(.dealer, "edge", own)
        try server.converse(with: edge, named: "edge", "from another")
        #expect(server.heard.keys.sorted() == ["edge", "worker"])
    }
}
