import Testing
import ZeroMQ

@Suite("ZeroMQ sockets", .timeLimit(.minutes(1)))
struct SocketTests {
    /// Waits for the next message.
    private func next(_ socket: borrowing Socket) throws -> [[UInt8]] {
        var poller = Poller()
        poller.add(socket)
        for _ in 0..<100 {
            if let message = try socket.receive() { return message }
            try poller.wait(.milliseconds(100))
        }
        Issue.record("no message came")
        return []
    }

    /// One that the router knows as `shard-0`.
    private func dealer(of router: borrowing Socket, in context: Context) throws -> Socket {
        try router.bind("tcp://127.0.0.1:*")
        let dealer = try Socket(.dealer, in: context)
        try dealer.setIdentity("shard-0")
        try dealer.connect(try router.lastEndpoint())
        return dealer
    }

    @Test("A dealer and a router speak both ways, in messages of several parts")
    func control() throws {
        let context = Context()
        let router = try Socket(.router, in: context)
        let dealer = try self.dealer(of: router, in: context)
        #expect(try dealer.send([Array("hello".utf8), []]))
        #expect(try next(router) == [Array("shard-0".utf8), Array("hello".utf8), []])
        #expect(try router.send([Array("shard-0".utf8), Array("assign".utf8)]))
        #expect(try next(dealer) == [Array("assign".utf8)])
    }

    @Test("A router says that it doesn't know a peer")
    func unknownPeer() throws {
        let router = try Socket(.router, in: Context())
        try router.bind("tcp://127.0.0.1:*")
        #expect(try router.send([Array("nobody".utf8), [1]]) == false)
    }

    @Test("A subscriber gets what it subscribed to and nothing else")
    func feed() throws {
        let context = Context()
        let publisher = try Socket(.publisher, in: context)
        try publisher.bind("tcp://127.0.0.1:*")
        let subscriber = try Socket(.subscriber, in: context)
        try subscriber.connect(try publisher.lastEndpoint())
        try subscriber.subscribe(Array("b\0".utf8))
        var poller = Poller()
        poller.add(subscriber)
        // A subscription takes a moment to arrive: publish until the first message does.
        var received: [[UInt8]]?
        for number in UInt8(0)..<100 where received == nil {
            _ = try publisher.send([Array("a\0".utf8), [number]])
            _ = try publisher.send([Array("b\0".utf8), [number]])
            try poller.wait(.milliseconds(50))
            received = try subscriber.receive()
        }
        #expect(received?.first == Array("b\0".utf8))
    }

    @Test(
        "A part of two pieces is both, one after the other", arguments: [(2, 1), (0, 3), (3, 0), (0, 0), (40, 100_000)])
    func pieces(head: Int, tail: Int) throws {
        let context = Context()
        let router = try Socket(.router, in: context)
        let dealer = try self.dealer(of: router, in: context)
        let pieces = [UInt8](repeating: 1, count: head) + [UInt8](repeating: 2, count: tail)
        let isSent = try Array("rows".utf8).withUnsafeBytes { topic in
            try pieces.withUnsafeBytes { pieces in
                let rest = UnsafeRawBufferPointer(rebasing: pieces[head...])
                return try dealer.send(
                    topic, joining: UnsafeRawBufferPointer(rebasing: pieces[..<head]),
                    tail > 0 ? rest : UnsafeRawBufferPointer(start: nil, count: 0))
            }
        }
        #expect(isSent)
        #expect(try next(router) == [Array("shard-0".utf8), Array("rows".utf8), pieces])
    }

    @Test("An endpoint that can't be bound is an error that names it")
    func badEndpoint() throws {
        let socket = try Socket(.router, in: Context())
        #expect(throws: ZeroMQError.self) { try socket.bind("ipc:///nonexistent/folder/socket") }
    }
}
