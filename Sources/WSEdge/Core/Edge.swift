import Common
import Feed
import WebServer

/// Fans committed rows out to clients, and takes their records into Kafka. On the server's thread; nothing in
/// it waits.
final class Edge: ConnectionHandler {
    let limits: EdgeLimits
    let inbox: EdgeInbox
    let threads: ReaderThreads
    /// For those who ask once, and may ask much.
    let pageThreads: ReaderThreads
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
    var pages: [UInt64: WaitingPage] = [:]
    var nextPage: UInt64 = 0
    /// The one that is being read.
    var readPage: UInt64?
    var logs = LogAnswers()
    var publisher: Publisher?
    var kafka: [String: String] = [:]
    var keyReaders: [StreamDefinition: KeyReader] = [:]
    private var nextClient: UInt64 = 0
    var nextSubscription: UInt64 = 0
    /// Of the subscriptions that there are.
    var serials: Set<UInt64> = []
    var nextSub = 0
    /// When groups that are told the newest of each key have their turn.
    let turns: TurnTimer
    /// Of rounds, each of which writes to all clients once.
    var pace = Pace(oneIn: 3, longestInterval: .milliseconds(20))
    var snapshots = SharedSnapshots()
    var isHeard = false
    private let startedAt = ContinuousClock.now
    /// Buffers and bytes that were handed to clients.
    private(set) var sent: (messages: Int64, byteCount: Int64) = (0, 0)
    /// When files of TLS are looked at again.
    var certificateDue = ContinuousClock.now
    private(set) var drainDeadline: ContinuousClock.Instant?

    /// How long clients wait for an edge that does not know its fleet yet.
    private static let fleetPatience = Duration.seconds(5)

    init(
        _ settings: EdgeSettings, _ inbox: EdgeInbox, _ threads: ReaderThreads, _ pageThreads: ReaderThreads,
        _ counters: EdgeCounters, _ turns: TurnTimer, _ notifier: ServiceNotifier? = nil
    ) {
        self.turns = turns
        self.settings = settings
        access = EdgeAccess(settings, inbox)
        limits = settings.limits
        self.inbox = inbox
        self.threads = threads
        self.pageThreads = pageThreads
        readings = Readings(threads, byteLimit: limits.readingByteCount) { inbox.put(.read($0, $1)) }
        self.counters = counters
        self.notifier = notifier
        // Asked while a subscription is being served: so not of the client, who has it in hand.
        readings.isWaiting = { [unowned self] in serials.contains($0.serial) }
    }

    /// Drained: clients are gone, and whoever asked or published has an answer.
    var isFinished: Bool {
        guard let drainDeadline else { return false }
        let isIdle =
            clients.isEmpty && pages.isEmpty && logs.readingCount == 0 && publisher?.waitingCount ?? 0 == 0
        return isIdle || drainDeadline <= .now
    }

    // MARK: Connections

    func refusal(of request: HTTPRequest) -> HTTPResponse? {
        drainDeadline == nil
            ? accessRefusal(of: request) : .text(503, "this edge is draining\n", headers: ["retry-after": "1"])
    }

    func opened(_ connection: ClientConnection) {
        let client = add(connection)
        admit(client)
        if client.isPlain, !client.isClosing { openPlain(client) }
    }

    func add(_ connection: ClientConnection) -> EdgeClient {
        let client = EdgeClient(id: nextClient, connection)
        nextClient += 1
        connection.owner = client
        clients[client.id] = client
        return client
    }

    func closed(_ connection: ClientConnection) {
        guard let client = connection.owner as? EdgeClient else { return }
        clients[client.id] = nil
        for subscription in client.subscriptions.values { leave(client, subscription) }
        access.closed(client.access)
        client.ended()
    }

    func received(_ text: [UInt8], from connection: ClientConnection) {
        guard let client = connection.owner as? EdgeClient, !client.isClosing else { return }
        guard client.replies.count < limits.waitingReplies, client.replyByteCount < limits.waitingReplyBytes else {
            return client.close(4529, "more requests than answers are read")
        }
        if client.isPlain { receivePlain(text, client) } else { serve(text, client) }
    }

    func nextFrames(for connection: ClientConnection) -> (frames: FrameBuffer, hasMore: Bool)? {
        guard let client = connection.owner as? EdgeClient, let frames = nextFrames(client) else { return nil }
        sent.messages += 1
        sent.byteCount += Int64(frames.bytes.count)
        return (frames, client.mayHaveMore)
    }

    /// Replies, then what was read for a subscription, then what is live.
    private func nextFrames(_ client: EdgeClient) -> FrameBuffer? {
        if !client.replies.isEmpty { return client.takeReplies() }
        guard !client.isClosing else { return nil }
        if client.subscriptions.count == 1 {
            return nextFrames(client, &client.subscriptions.values[client.subscriptions.startIndex])
        }
        if client.form == .events, client.subscriptions.isEmpty, client.opening.isEmpty {
            // It can't ask for anything more on this connection, but comes again.
            client.close(1000, "")
            return nil
        }
        // Whoever was sent something the longest time ago is next.
        for sub in client.subscriptions.sorted(by: { $0.value.sentAt < $1.value.sentAt }).map(\.key) {
            if let frames = nextFrames(client, &client.subscriptions[sub]!) { return frames }
        }
        return nil
    }

    // MARK: Time

    func ticked() {
        let now = ContinuousClock.now
        if now - startedAt > Self.fleetPatience { accept() }
        for client in clients.values {
            if let since = client.connection.waitingSince, now - since > .seconds(limits.slowSeconds) {
                // It takes nothing, not even a reason.
                counters.update { $0.letGo += 1 }
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
        for feed in streams.values { feed.tellPositions(before: now - .seconds(limits.progressSeconds - 5)) }
        checkAccess()
        endLogWaits()
        if certificateDue <= now { reloadCertificate() }
        readings.ticked()
        forgetKeys()
        count()
        notifier?.say(status: "\(clients.count) clients, " + (isHeard ? "workers are heard" : "no worker is heard"))
        notifier?.turned(isStopping: drainDeadline != nil, at: now)
    }

    private func count() {
        let slow = clients.values.count { $0.subscriptions.values.contains { $0.cursor.isBehind } }
        counters.update { ($0.clients, $0.slowClients, $0.messages) = (clients.count, slow, sent.messages) }
    }

    /// Tells everybody to go elsewhere, each after a time of its own, so that they don't come all at once.
    func drain() {
        guard drainDeadline == nil else { return }
        drainDeadline = .now + .seconds(limits.drainSeconds)
        notifier?.turned(isStopping: true, at: .now)
        endLogWaits(isEnding: true)
        for client in clients.values {
            let milliseconds = Int.random(in: 0...2000)
            if !client.isPlain {
                client.reply(ServerMessage.goAway(reconnectIn: milliseconds), retryAfter: milliseconds)
            }
            client.close(4503, "this edge is draining")
        }
    }
}
