import Common
import ZeroMQ

/// The control channel over tcp, for those on other hosts whose key is in the fleet's list (CURVE and ZAP).
///
/// A socket of its own, so that nobody from outside can speak as a worker, and so that what steers the fleet stays in
/// the runtime folder: from here it can only be looked at, and edges are told where the feeds are. Owned by the loop's
/// thread.
final class RemoteControl {
    private let authenticator: Authenticator
    private let socket: Socket
    private let keys: KeyFolder
    /// Frames that were no request of ours.
    private(set) var droppedCount = 0
    /// What clients and edges know this coordinator and its workers by.
    let serverKey: CurvePublicKey
    /// Those of this coordinator's own list.
    private(set) var ownClients: [CurvePublicKey]
    /// Whom other coordinators of the group let connect.
    var others: Set<CurvePublicKey> = []
    /// With the port that was picked.
    let endpoint: String
    var refusedCount: Int { authenticator.refusedCount }

    /// Requests are small; larger messages end the peer's connection.
    private static let messageByteLimit: Int64 = 64 * 1024
    private static let requestLimitPerTurn = 100

    /// - Parameter address: `tcp://HOST:PORT`; `*` for every interface, or a port that the kernel picks.
    init(_ address: String, keys: KeyFolder) throws {
        self.keys = keys
        let context = Context()
        ownClients = Array(try keys.clients().values)
        authenticator = try Authenticator(in: context, allowedKeys: Set(ownClients))
        let socket = try Socket(.router, in: context, messageByteLimit: Self.messageByteLimit)
        let pair = try keys.coordinatorKeys()
        serverKey = pair.publicKey
        try socket.actAsCurveServer(pair.secretKey)
        try socket.bind(address)
        endpoint = try socket.lastEndpoint()
        self.socket = socket
    }

    func add(to poller: inout Poller) {
        poller.add(authenticator)
        poller.add(socket)
    }

    /// Takes the list of clients anew: keys are made and removed beside a running coordinator. True when it changed.
    func refresh() throws -> Bool {
        ownClients = Array(try keys.clients().values)
        let keys = Set(ownClients).union(others)
        defer { authenticator.allowedKeys = keys }
        return keys != authenticator.allowedKeys
    }

    var clients: [String] { authenticator.allowedKeys.map(\.text).sorted() }

    /// A worker's feed at an address of this machine, for the same clients under the same key.
    func feed(host: String) throws -> WorkerConfiguration.RemoteFeed {
        .init(
            address: "tcp://\(host):*", secretKey: try keys.coordinatorKeys().secretKey.text, clients: clients)
    }

    /// - Parameter answer: to a frame; nil for one that is nothing of ours.
    func serve(_ answer: ([UInt8]) throws -> [UInt8]?) throws {
        try authenticator.serve()
        for _ in 0..<Self.requestLimitPerTurn {
            guard let parts = try socket.receive() else { return }
            guard parts.count == 2, let reply = try answer(parts[1]) else {
                droppedCount += 1
                continue
            }
            _ = try socket.send([parts[0], reply])
        }
    }
}
