import Common
import WebSockets

/// Fans committed rows out to WebSocket clients. On the server's thread; nothing in it waits.
final class Edge: WebSocketHandler {
    let limits: EdgeLimits
    let inbox: EdgeInbox
    let replays: ReplayQueue
    let counters: EdgeCounters
    /// Nil unless a service manager started this edge.
    private let notifier: ServiceNotifier?
    var clients: [UInt64: EdgeClient] = [:]
    var streams: [String: StreamFeed] = [:]
    private var nextClient: UInt64 = 0
    var nextSubscription: UInt64 = 0
    private var isHeard = false
    private var drainDeadline: ContinuousClock.Instant?

    init(
        _ limits: EdgeLimits, _ inbox: EdgeInbox, _ replays: ReplayQueue, _ counters: EdgeCounters,
        _ notifier: ServiceNotifier? = nil
    ) {
        self.limits = limits
        self.inbox = inbox
        self.replays = replays
        self.counters = counters
        self.notifier = notifier
    }

    /// Drained.
    var isFinished: Bool { drainDeadline.map { clients.isEmpty || $0 <= .now } ?? false }

    // MARK: Connections

    func mayOpen() -> Bool { clients.count < limits.connections && drainDeadline == nil }

    func opened(_ connection: WebSocketConnection) {
        let client = EdgeClient(id: nextClient, connection)
        nextClient += 1
        connection.owner = client
        clients[client.id] = client
        count()
    }

    func closed(_ connection: WebSocketConnection) {
        guard let client = connection.owner as? EdgeClient else { return }
        for subscription in client.subscriptions.values { subscription.feed.subscribers[client.id] = nil }
        clients[client.id] = nil
        count()
    }

    func received(_ text: [UInt8], from connection: WebSocketConnection) {
        guard let client = connection.owner as? EdgeClient, !client.isClosing else { return }
        guard client.replies.count < limits.waitingReplies else {
            return client.close(4529, "more requests than answers are read")
        }
        serve(text, client)
    }

    func nextFrame(for connection: WebSocketConnection) -> WebSocketFrame? {
        guard let client = connection.owner as? EdgeClient, let frame = nextFrame(client) else { return nil }
        counters.update { $0.messages += 1 }
        connection.requestWrite()
        return frame
    }

    /// Replies, then what was read for a subscription, then what is live.
    private func nextFrame(_ client: EdgeClient) -> WebSocketFrame? {
        if !client.replies.isEmpty { return WebSocketFrame(client.replies.removeFirst()) }
        guard !client.isClosing else { return nil }
        // Whoever was sent something the longest time ago is next.
        let order = client.subscriptions.sorted { $0.value.sentAt < $1.value.sentAt }.map(\.key)
        for sub in order {
            if let frame = nextFrame(client, &client.subscriptions[sub]!) {
                client.subscriptions[sub]!.sentAt = .now
                return frame
            }
        }
        return nil
    }

    private func nextFrame(_ client: EdgeClient, _ subscription: inout EdgeClient.Subscription) -> WebSocketFrame? {
        if !subscription.replayed.isEmpty { return subscription.replayed.removeFirst().frame }
        while true {
            switch subscription.cursor.step(subscription.feed.ring) {
            case .send(let frame): return frame
            case .read(let span):
                ask(client, subscription.feed, .rows(span), serial: subscription.serial)
                return nil
            case .wait: return nil
            }
        }
    }

    func ask(_ client: EdgeClient, _ feed: StreamFeed, _ kind: ReplayQueue.Question.Kind, serial: UInt64 = 0) {
        replays.ask(
            .init(
                client: client.id, sub: feed.sub, serial: serial, stream: feed.opening.stream,
                schema: feed.opening.schema, kind: kind))
    }

    // MARK: What other threads tell

    func woken() {
        for item in inbox.takeAll() {
            switch item {
            case .began(let opening): begin(opening)
            case .delivered(let stream, let sub, let batches): deliver(stream, sub, batches)
            case .lost(let stream, let sub): tellLost(stream, sub)
            case .answered(let answer): take(answer)
            case .health(let isHeard): self.isHeard = isHeard
            case .drain: drain()
            }
        }
    }

    private func begin(_ opening: StreamFeed.Opening) {
        let name = opening.stream.name
        if let old = streams[name] {
            for client in old.subscribers.values {
                client.subscriptions[old.sub] = nil
                client.reply(ServerMessage.reset(sub: old.sub, reason: "epoch"))
            }
        }
        streams[name] = StreamFeed(opening)
    }

    private func deliver(_ stream: String, _ sub: Int, _ batches: [FeedBatch]) {
        guard let feed = streams[stream], feed.sub == sub else { return }
        for batch in batches { feed.ring.append(batch) }
        // One that waits already is asked by itself when it takes more.
        for client in feed.subscribers.values where client.connection.waitingSince == nil {
            client.connection.requestWrite()
        }
    }

    /// The edge itself was away for longer than rows are kept: those who read from Postgres notice by themselves.
    private func tellLost(_ stream: String, _ sub: Int) {
        guard let feed = streams[stream], feed.sub == sub else { return }
        for client in feed.subscribers.values where client.subscriptions[sub]?.cursor.isBehind == false {
            client.reply(ServerMessage.reset(sub: sub, reason: "retention"))
        }
    }

    private func take(_ answer: ReplayAnswer) {
        guard let client = clients[answer.client], !client.isClosing else { return }
        switch answer.kind {
        case .state(let request, let epoch, let position, let result):
            resume(client, answer.sub, request, epoch, position, result)
        case .rows(let span, let replayed, let batches):
            guard client.subscriptions[answer.sub]?.serial == answer.serial else { return }
            client.subscriptions[answer.sub]!.replayed = batches
            client.subscriptions[answer.sub]!.cursor.take(span.source, replayed)
            // A span from before the source's first row lost nothing.
            if max(span.from, replayed.start) < min(replayed.retainedFrom, replayed.end) {
                client.reply(ServerMessage.reset(sub: answer.sub, reason: "retention"))
            }
            client.connection.requestWrite()
        case .failed:
            guard client.subscriptions[answer.sub]?.serial == answer.serial else { return }
            client.subscriptions.removeValue(forKey: answer.sub)?.feed.subscribers[client.id] = nil
            client.reply(ServerMessage.reset(sub: answer.sub, reason: "unavailable"))
        }
    }

    // MARK: Time

    func ticked() {
        let now = ContinuousClock.now
        for client in clients.values {
            if let since = client.connection.waitingSince, now - since > .seconds(limits.slowSeconds) {
                // It takes nothing, not even a reason.
                client.connection.abort()
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
        count()
        notifier?.say(status: "\(clients.count) clients, " + (isHeard ? "workers are heard" : "no worker is heard"))
        notifier?.turned(isStopping: drainDeadline != nil, at: now)
    }

    private func count() {
        let slow = clients.values.count { $0.subscriptions.values.contains { $0.cursor.isBehind } }
        counters.update { ($0.clients, $0.slowClients) = (clients.count, slow) }
    }

    /// Tells everybody to go elsewhere, each after a time of its own, so that they don't come all at once.
    private func drain() {
        guard drainDeadline == nil else { return }
        drainDeadline = .now + .seconds(limits.drainSeconds)
        notifier?.turned(isStopping: true, at: .now)
        for client in clients.values {
            client.reply(ServerMessage.goAway(reconnectIn: .random(in: 0...2000)))
            client.close(4503, "this edge is draining")
        }
    }

    func answer(_ path: String) -> (status: UInt32, body: String)? {
        switch path {
        case "/livez": (200, "alive\n")
        case "/readyz" where drainDeadline != nil: (503, "draining\n")
        case "/readyz" where streams.isEmpty: (503, "no stream is followed yet\n")
        case "/readyz": isHeard ? (200, "ready\n") : (503, "no worker is heard\n")
        default: nil
        }
    }
}
