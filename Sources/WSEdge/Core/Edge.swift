import Common
import Feed
import WebServer

/// Fans committed rows out to WebSocket clients, and takes their records into Kafka. On the server's thread; nothing in
/// it waits.
final class Edge: WebSocketHandler {
    let limits: EdgeLimits
    let inbox: EdgeInbox
    let threads: ReaderThreads
    let readings: Readings
    let counters: EdgeCounters
    let settings: EdgeSettings
    let access: EdgeAccess
    /// Nil unless a service manager started this edge.
    private let notifier: ServiceNotifier?
    /// Where descriptors are watched; it owns this edge by its routes.
    weak var server: WebServer?
    var clients: [UInt64: EdgeClient] = [:]
    /// Those that are followed.
    var streams: [String: StreamFeed] = [:]
    /// What is wrong with those of which rows are missing that can't be read.
    var unreadable: [String: RequestError] = [:]
    /// All of the fleet.
    var stored: [String: StoredStream] = [:]
    /// Requests that wait for a page.
    var pages: [UInt64: HTTPExchange] = [:]
    var nextPage: UInt64 = 0
    var publisher: Publisher?
    var kafka: [String: String] = [:]
    var keyReaders: [StreamDefinition: KeyReader] = [:]
    private var nextClient: UInt64 = 0
    var nextSubscription: UInt64 = 0
    var isHeard = false
    /// When files of TLS are looked at again.
    var certificateDue = ContinuousClock.now
    private(set) var drainDeadline: ContinuousClock.Instant?

    init(
        _ settings: EdgeSettings, _ inbox: EdgeInbox, _ threads: ReaderThreads, _ counters: EdgeCounters,
        _ notifier: ServiceNotifier? = nil
    ) {
        self.settings = settings
        access = EdgeAccess(settings, inbox)
        limits = settings.limits
        self.inbox = inbox
        self.threads = threads
        readings = Readings(threads, byteLimit: limits.readingByteCount) { key, span, answer in
            inbox.put(.read(key, span, answer))
        }
        self.counters = counters
        self.notifier = notifier
    }

    /// Drained: clients are gone, and what they published is acknowledged or not.
    var isFinished: Bool {
        drainDeadline.map { clients.isEmpty && publisher?.waitingCount ?? 0 == 0 || $0 <= .now } ?? false
    }

    // MARK: Connections

    func refusal(of request: HTTPRequest) -> HTTPResponse? {
        drainDeadline == nil
            ? accessRefusal(of: request) : .text(503, "this edge is draining\n", headers: ["retry-after": "1"])
    }

    func opened(_ connection: WebSocketConnection) {
        let client = EdgeClient(id: nextClient, connection)
        nextClient += 1
        connection.owner = client
        clients[client.id] = client
        admit(client)
        if client.isPlain, !client.isClosing { openPlain(client) }
        count()
    }

    func closed(_ connection: WebSocketConnection) {
        guard let client = connection.owner as? EdgeClient else { return }
        for subscription in client.subscriptions.values { subscription.group.subscribers[client.id] = nil }
        clients[client.id] = nil
        access.closed(client.access)
        count()
    }

    func received(_ text: [UInt8], from connection: WebSocketConnection) {
        guard let client = connection.owner as? EdgeClient, !client.isClosing else { return }
        guard client.replies.count < limits.waitingReplies else {
            return client.close(4529, "more requests than answers are read")
        }
        if client.isPlain { receivePlain(text, client) } else { serve(text, client) }
    }

    func nextFrames(for connection: WebSocketConnection) -> FrameBuffer? {
        guard let client = connection.owner as? EdgeClient, let frames = nextFrames(client) else { return nil }
        counters.update { $0.messages += 1 }
        connection.requestWrite()
        return frames
    }

    /// Replies, then what was read for a subscription, then what is live.
    private func nextFrames(_ client: EdgeClient) -> FrameBuffer? {
        if !client.replies.isEmpty {
            defer { client.replies = [] }
            return FrameBuffer(texts: client.replies)
        }
        guard !client.isClosing else { return nil }
        // Whoever was sent something the longest time ago is next.
        let order =
            client.subscriptions.count > 1
            ? client.subscriptions.sorted { $0.value.sentAt < $1.value.sentAt }.map(\.key)
            : Array(client.subscriptions.keys)
        for sub in order {
            if let frames = nextFrames(client, &client.subscriptions[sub]!) {
                client.subscriptions[sub]!.sentAt = .now
                return frames
            }
        }
        return nil
    }

    private func nextFrames(_ client: EdgeClient, _ subscription: inout EdgeClient.Subscription) -> FrameBuffer? {
        let feed = subscription.feed
        while true {
            if let reading = subscription.reading {
                subscription.reading = nil
                if !reading.frames.bytes.isEmpty { return reading.frames }
            }
            let frames: FrameBuffer
            switch subscription.cursor.step(feed.ring) {
            case .shared(let number): frames = subscription.group.frames(number, feed.ring)
            case .own(let rows, let position): frames = subscription.group.encoding.frames(rows, position)
            case .wait: return nil
            case .read(let span):
                let key = Reading.Key(
                    stored: feed.opening.stored, encoding: subscription.group.encoding, source: span.source,
                    from: span.from)
                let subscriber = Readings.Subscriber(
                    client: client.id, sub: subscription.group.sub, serial: subscription.serial)
                guard let known = readings.ask(key, span, for: subscriber) else { return nil }
                take(known, client, &subscription)
                continue
            }
            if !frames.bytes.isEmpty { return frames }
        }
    }

    func take(_ reading: Reading, _ client: EdgeClient, _ subscription: inout EdgeClient.Subscription) {
        subscription.reading = reading
        subscription.cursor.take(reading.span.source, reading.replayed)
        if reading.isLossy, !client.isPlain {
            client.reply(ServerMessage.reset(sub: subscription.group.sub, reason: "retention"))
        }
    }

    // MARK: Time

    func ticked() {
        let now = ContinuousClock.now
        for client in clients.values {
            if let since = client.connection.waitingSince, now - since > .seconds(limits.slowSeconds) {
                // It takes nothing, not even a reason.
                client.connection.abort()
            } else if client.isPlain {
                continue
            } else if !client.hasConnected, now - client.openedAt > .seconds(limits.connectSeconds) {
                client.close(4408, "no connect message in time")
            } else {
                for (sub, subscription) in client.subscriptions
                where now - subscription.sentAt > .seconds(limits.progressSeconds) {
                    client.subscriptions[sub]!.sentAt = now
                    client.reply(ServerMessage.progress(sub: sub, [:]))
                }
            }
        }
        checkAccess()
        if certificateDue <= now { reloadCertificate() }
        readings.ticked()
        count()
        notifier?.say(status: "\(clients.count) clients, " + (isHeard ? "workers are heard" : "no worker is heard"))
        notifier?.turned(isStopping: drainDeadline != nil, at: now)
    }

    private func count() {
        let slow = clients.values.count { $0.subscriptions.values.contains { $0.cursor.isBehind } }
        counters.update { ($0.clients, $0.slowClients) = (clients.count, slow) }
    }

    /// Tells everybody to go elsewhere, each after a time of its own, so that they don't come all at once.
    func drain() {
        guard drainDeadline == nil else { return }
        drainDeadline = .now + .seconds(limits.drainSeconds)
        notifier?.turned(isStopping: true, at: .now)
        for client in clients.values {
            if !client.isPlain { client.reply(ServerMessage.goAway(reconnectIn: .random(in: 0...2000))) }
            client.close(4503, "this edge is draining")
        }
    }
}
