private import CLinux
internal import CWebSockets
package import Common
private import Glibc

/// A web server on one thread: HTTP/1.1, files, WebSockets (RFC 6455), by libwebsockets. Made, run and destroyed there.
package final class WebServer {
    /// What was bound, with the port that was picked.
    package let address: ListenAddress
    package let waker: ServerWaker
    let limits: WebServerLimits
    let routes: Routes
    let relay = Relay()
    let clock = TurnClock()
    private let listener: Int32
    private let loop: OpaquePointer
    private let library: Library
    private var context: OpaquePointer?
    /// Nil: connections are not encrypted.
    let tls: TLSFiles?
    /// Of the files that were looked at the last time.
    var certificateVersion: [Int] = []
    private var vhost: OpaquePointer?

    var counts = ConnectionCounts()
    /// Of connections that were too many.
    package var refusedConnections: Int64 = 0
    /// The other side's address of each connection.
    var addresses: [OpaquePointer: String] = [:]
    /// Requests whose answer is not written yet.
    var exchanges: [OpaquePointer: HTTPExchange] = [:]
    var bodiesByteCount = 0
    /// Of long answers that are being written.
    var answersByteCount = 0
    /// Of WebSocket messages that are not complete.
    var messagesByteCount = 0
    /// WebSockets that were let in and are not open yet.
    var upgrades: [OpaquePointer: ClientConnection] = [:]
    /// WebSockets and streams of events.
    var connections: [OpaquePointer: ClientConnection] = [:]

    /// Connections open at once: those that are wanted, as far as there are descriptors.
    package let connectionLimit: Int
    /// Beyond these, for requests only: so that health is told, and who is refused hears why.
    private let spareConnections: Int

    private static let tickInterval = Duration.seconds(1)
    /// Descriptors that the process needs beside its connections'.
    private static let descriptorReserve = 256
    private static let spareConnections = 64

    /// Listens; nothing is served until `run`.
    /// - Parameters:
    ///   - address: port 0 lets the kernel pick.
    ///   - tls: nil: connections are not encrypted.
    package init(
        _ address: ListenAddress, limits: WebServerLimits = .init(), waker: ServerWaker? = nil, tls: TLSFiles? = nil,
        _ routes: Routes
    ) throws(WebServerError) {
        self.tls = tls
        certificateVersion = tls?.version ?? []
        if let problem = tls?.problem { throw WebServerError(operation: "TLS", code: 0, message: problem) }
        self.waker = if let waker { waker } else { try ServerWaker() }
        self.limits = limits
        self.routes = routes
        let (listener, bound) = try ListeningSocket.open(host: address.host, port: address.port)
        self.listener = listener
        self.address = ListenAddress(bound) ?? address
        (connectionLimit, spareConnections) = Self.connectionLimits(limits.connections)
        var events = millrace_web_events()
        events.owner = Unmanaged.passUnretained(relay).toOpaque()
        events.accepted = Relay.accepted
        events.readable = Relay.readable
        events.told = Relay.told
        events.unmasked = Relay.unmasked
        guard let loop = millrace_web_loop_make(listener, events) else {
            let error = ListeningSocket.lastError("epoll")
            close(listener)
            throw error
        }
        self.loop = loop
        library = Library(routes, limits)
        guard let context = library.makeContext(loop, tls) else {
            millrace_web_loop_free(loop)
            close(listener)
            throw WebServerError(operation: "libwebsockets", code: 0, message: "can't make a context")
        }
        self.context = context
        vhost = lws_get_vhost_by_name(context, "default")
        relay.server = self
    }

    deinit {
        relay.server = nil
        if let context { lws_context_destroy(context) }
        millrace_web_loop_free(loop)
        close(listener)
    }

    var libraryContext: OpaquePointer? { context }

    /// Connections are descriptors: the process's limit is raised where it may be, else there are fewer of them. Whatever it is,
    /// half of it is the process's own: files, Postgres and Kafka.
    private static func connectionLimits(_ wanted: Int) -> (all: Int, spare: Int) {
        var limit = rlimit()
        guard millrace_nofile_limit(&limit) == 0 else { return (wanted, spareConnections) }
        let needed = rlim_t(wanted + spareConnections + descriptorReserve)
        if limit.rlim_cur < needed {
            limit.rlim_cur = min(limit.rlim_max, needed)
            millrace_set_nofile_limit(&limit)
        }
        let available = Int(limit.rlim_cur - min(rlim_t(descriptorReserve), limit.rlim_cur / 2))
        let spare = min(spareConnections, available / 4)
        return (min(wanted, available - spare), spare)
    }

    /// There is room for the requests of who looks after this server, and no more for WebSockets.
    var isFull: Bool { counts.total > connectionLimit }

    /// Serves until `isFinished`, which is asked after each turn; then ends what connections are left. Once.
    /// - Parameters:
    ///   - woken: when somebody used the waker; once a turn, however often.
    ///   - ticked: once a second.
    package func run(until isFinished: () -> Bool, woken: @escaping () -> Void, ticked: () -> Void) {
        guard let context else { return }
        watch(waker.descriptor) { [waker] in
            waker.calmDown()
            woken()
        }
        var nextTick = ContinuousClock.now + Self.tickInterval
        listen()
        while !isFinished() {
            clock.now = .now
            let wait = max(.zero, nextTick - clock.now) / .milliseconds(1)
            guard millrace_web_turn(loop, context, Int32(wait.rounded(.up))) >= 0 else { break }
            guard nextTick <= .now else { continue }
            nextTick = .now + Self.tickInterval
            tick()
            ticked()
        }
        lws_context_destroy(context)
        self.context = nil
        relay.watchers = [:]
    }

    /// Calls `body` while a descriptor is readable. The descriptor outlives the server, or is no longer watched before.
    package func watch(_ descriptor: Int32, _ body: @escaping () -> Void) {
        relay.watchers[descriptor] = body
        // Only memory can be short.
        guard millrace_web_watch(loop, descriptor, 1) == 0 else { preconditionFailure("a descriptor can't be watched") }
    }

    package func unwatch(_ descriptor: Int32) {
        guard relay.watchers.removeValue(forKey: descriptor) != nil else { return }
        _ = millrace_web_watch(loop, descriptor, 0)
    }

    /// Until it does, connections wait in the kernel's queue (listen(2)). For once, on the server's thread.
    package var isAccepting = true {
        didSet { listen() }
    }

    /// Begins to listen, or goes on: the loop stops listening when it is out of descriptors.
    private func listen() { if isAccepting { millrace_web_listen(loop, 1) } }

    private func tick() {
        listen()
        let now = ContinuousClock.now
        let limit = Duration.seconds(limits.pingSeconds)
        for connection in connections.values { connection.checkLife(at: now, limit) }
        endSlowBodies(at: now)
    }

    // MARK: Connections

    func accepted(_ descriptor: Int32, _ address: String) {
        let limit = connectionLimit + spareConnections
        guard let vhost, counts.admit(address, limit, perAddress: limits.connectionsPerAddress) else {
            refusedConnections += 1
            close(descriptor)
            return
        }
        var size = limits.sendBufferByteCount
        // Where it can't be set, a slow client is found a little later.
        setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        // The library does so only for sockets that it accepts itself. Without it what a client is sent waits until the client
        // has acknowledged what came before, which takes it 40 ms (tcp(7), RFC 1122 section 4.2.3.4).
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        guard let wsi = lws_adopt_socket_vhost(vhost, descriptor) else {
            // The library has closed it.
            return counts.ended(address)
        }
        addresses[wsi] = address
    }

    func destroyed(_ wsi: OpaquePointer) {
        upgrades[wsi] = nil
        dropExchange(of: wsi)
        endEvents(of: wsi)
        if let address = addresses.removeValue(forKey: wsi) { counts.ended(address) }
    }
}
