import Testing
import ZeroMQ

/// A CURVE server on a port that the kernel picked, with its authenticator, driven by the test's own thread.
final class GuardedServer {
    let keys: CurveKeyPair
    let authenticator: Authenticator?
    let socket: Socket
    let endpoint: String
    /// What a router heard, by sender.
    private(set) var heard: [String: [[[UInt8]]]] = [:]
    private var counters: [ConnectionCounter] = []
    private let isRouter: Bool

    /// - Parameter openEndpoint: bound before the socket becomes a CURVE server.
    init(
        _ kind: Socket.Kind, allowing allowed: Set<CurvePublicKey>, authenticates: Bool = true,
        openEndpoint: String? = nil
    ) throws {
        let context = Context()
        keys = try CurveKeyPair.generate()
        authenticator = authenticates ? try Authenticator(in: context, allowedKeys: allowed) : nil
        socket = try Socket(kind, in: context)
        isRouter = kind == .router
        if let openEndpoint { try socket.bind(openEndpoint) }
        try socket.actAsCurveServer(keys.secretKey)
        try socket.bind("tcp://127.0.0.1:*")
        endpoint = try socket.lastEndpoint()
    }

    var refusedCount: Int { authenticator?.refusedCount ?? 0 }
    var port: UInt16 { get throws { try #require(UInt16(endpoint.split(separator: ":").last ?? "")) } }

    func connectionCounter() throws -> ConnectionCounter {
        let counter = try ConnectionCounter(before: port)
        counters.append(counter)
        return counter
    }

    /// A client in a context of its own, as on another host.
    func client(
        _ kind: Socket.Kind, _ name: String, _ own: CurveKeyPair?, server: CurvePublicKey? = nil,
        at other: String? = nil
    ) throws -> Socket {
        let socket = try Socket(kind, in: Context())
        if kind == .dealer { try socket.setIdentity(name) }
        if let own { try socket.actAsCurveClient(own, server: server ?? keys.publicKey) }
        try socket.connect(other ?? endpoint)
        if kind == .subscriber { try socket.subscribe([]) }
        return socket
    }

    /// Serves until the condition holds, or records that it never came.
    func serve(until what: String, _ condition: () throws -> Bool) throws {
        for _ in 0..<6000 {
            if try condition() { return }
            var poller = Poller()
            if let authenticator { poller.add(authenticator) }
            if isRouter { poller.add(socket) }
            try poller.wait(.milliseconds(5))
            try authenticator?.serve()
            for counter in counters { try counter.step() }
            while isRouter, let parts = try socket.receive() {
                heard[String(decoding: parts[0], as: UTF8.self), default: []].append(Array(parts.dropFirst()))
            }
        }
        Issue.record("waited in vain until \(what)")
    }

    /// The client's message arrives here, and the answer there.
    func converse(with client: borrowing Socket, named name: String, _ text: String) throws {
        let message = Array(text.utf8)
        #expect(try client.send([message]))
        try serve(until: "\(name) is heard") { heard[name]?.last == [message] }
        #expect(try socket.send([Array(name.utf8), message]))
        var answer: [[UInt8]]?
        try serve(until: "\(name) is answered") {
            answer = try client.receive()
            return answer != nil
        }
        #expect(answer == [message])
    }
}
