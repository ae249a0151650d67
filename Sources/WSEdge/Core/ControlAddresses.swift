import Common
import ZeroMQ

/// The coordinators that an edge may ask: those that it was given, and those of their group that it has heard of. It goes on to the
/// next when one says nothing.
struct ControlAddresses {
    struct Address: Equatable {
        var endpoint: String
        /// Nil on this machine.
        var server: CurvePublicKey?
    }

    private static let countLimit = 100

    private let given: [Address]
    private var addresses: [Address]
    private var index = 0
    private let own: CurveKeyPair?

    init(_ settings: EdgeSettings) {
        own = settings.credentials?.own
        given = settings.controls.enumerated().map { index, endpoint in
            Address(
                endpoint: endpoint,
                server: settings.credentials.map { $0.servers[min(index, $0.servers.count - 1)] })
        }
        addresses = given
    }

    /// Beside a coordinator on this machine there is no other: it tells what those on other hosts may not.
    /// - Parameter controls: all that there are now but the one that says so.
    mutating func learn(_ controls: [EdgeConfiguration.Control]) {
        guard own != nil else { return }
        let current = addresses[index]
        let told = controls.prefix(Self.countLimit).compactMap { control in
            (try? CurvePublicKey(control.server)).map { Address(endpoint: control.endpoint, server: $0) }
        }
        addresses = given + ([current] + told.filter { $0 != current }).filter { !given.contains($0) }
        index = addresses.firstIndex(of: current)!
    }

    mutating func goOn() { index = (index + 1) % addresses.count }

    /// To the one whose turn it is.
    func connect(in context: Context) throws(ZeroMQError) -> Socket {
        let socket = try Socket(.dealer, in: context)
        let address = addresses[index]
        if let own, let server = address.server { try socket.actAsCurveClient(own, server: server) }
        try socket.connect(address.endpoint)
        return socket
    }
}
