package import Common
private import Glibc
package import ZeroMQ

/// One stream of a fleet from now on: the workers' feeds joined with what Postgres holds, each committed row
/// once. One thread, on which nothing of it waits: what it has to know from Postgres its owner asks for.
package final class FeedSubscription {
    /// Messages of one turn, so that repairs get theirs.
    private static let messageLimitPerTurn = 1000
    /// A source that nobody published for so long is asked for in the database: its worker may be gone.
    private static let silenceLimit = Duration.seconds(2)
    /// The database is asked so often even where all sources are heard: for sources that no worker has yet, and for the
    /// epoch.
    private static let pollInterval = Duration.seconds(10)

    package let stored: StoredStream
    private let credentials: CurveCredentials?
    private let context: Context
    private var follower = FeedFollower(from: [:])
    /// By the host's name; of a fleet on one host that is empty.
    private var hosts: [String: HostFeeds] = [:]
    private var heardAt: [SourceID: ContinuousClock.Instant] = [:]
    private var polledAt = ContinuousClock.now
    /// A question is being answered.
    private var isAsking = false
    /// No question is asked before: the last one was not answered.
    private var asksFrom = ContinuousClock.now
    /// The source that was read last: sources take turns.
    private var lastRead: SourceID?
    private let origin: ((StreamState) -> [SourceID: Int64])?
    /// What a worker publishes whose messages can't be read here: its rows come from Postgres alone.
    package private(set) var foreignVersion: UInt8?
    /// The stream's epoch; nil until the database has told it.
    package private(set) var epoch: String?
    /// The sources as the database last told them.
    package private(set) var sources: [SourceID: StreamState.Source] = [:]
    /// Milliseconds from a COMMIT to its rows here, by the clocks of both machines.
    package private(set) var lag = Histogram()
    private var isPaused = false
    /// When the stream was last known to be paused.
    private var pausedAt: ContinuousClock.Instant?

    /// - Parameters:
    ///   - credentials: for feeds on other hosts, with the key of those that are told without one.
    ///   - origin: where to begin, given how far the stream is; nil: there.
    package init(
        _ stored: StoredStream, credentials: CurveCredentials?, in context: Context,
        from origin: ((StreamState) -> [SourceID: Int64])? = nil
    ) {
        self.stored = stored
        self.origin = origin
        self.credentials = credentials
        self.context = context
    }

    package var position: [SourceID: Int64] { follower.position }
    package var repairCount: Int { follower.repairCount }

    package func add(to poller: inout Poller) {
        for host in hosts.values { host.add(to: &poller) }
    }

    /// The workers' feeds as they are now; none has to be there.
    /// - Parameter own: for feeds over tcp, where there are no credentials.
    package func connect(
        _ wanted: [EdgeConfiguration.Feed], own: CurveKeyPair? = nil, at now: ContinuousClock.Instant
    ) throws(ZeroMQError) {
        let told = Dictionary(grouping: wanted) { $0.host ?? "" }
        for name in hosts.keys where told[name] == nil { hosts[name] = nil }
        for (name, feeds) in told {
            let server = try feeds[0].server.map { text throws(ZeroMQError) in try CurvePublicKey(text) }
            if hosts[name] == nil || hosts[name]!.server != server ?? credentials?.server {
                hosts[name] = try HostFeeds(
                    FeedMessage.topic(stored.stream.name), own: credentials?.own ?? own,
                    server: server ?? credentials?.server, in: context)
            }
            try hosts[name]!.connect(Dictionary(feeds.map { ($0.shard, $0.endpoint) }) { $1 }, at: now)
        }
    }

    /// Takes what the workers published since the last call.
    package func receive(at now: ContinuousClock.Instant, _ deliver: (FeedDelivery) -> Void) throws(ZeroMQError) {
        for host in hosts.values { try receive(from: host, at: now, deliver) }
    }

    private func receive(
        from host: HostFeeds, at now: ContinuousClock.Instant, _ deliver: (FeedDelivery) -> Void
    ) throws(ZeroMQError) {
        for _ in 0..<(Self.messageLimitPerTurn / hosts.count) {
            guard let parts = try host.receive() else { return }
            guard parts.count == 2, let message = parts[1].withUnsafeBytes({ FeedMessage($0) }) else {
                foreignVersion = parts.last?.first
                continue
            }
            host.heard(message.shard, at: now)
            if !message.rows.isEmpty { lag.add(max(0, Self.clock() - Double(message.committedAt) / 1000)) }
            for span in message.spans { heardAt[span.source] = now }
            pass(follower.receive(message), deliver)
        }
    }

    /// What has to be asked of Postgres now, if anything: one question at a time, answered by `take` or `failed`. Once
    /// connected, so that what is committed before the first answer is in the feed or behind a gap of it.
    package func question(at now: ContinuousClock.Instant) -> FeedQuestion? {
        guard !isAsking, asksFrom <= now else { return nil }
        if epoch == nil || isPollDue(at: now) {
            isAsking = true
            return .state
        }
        let repairs = follower.repairs
        guard let next = repairs.first(where: { span in lastRead.map { span.source > $0 } ?? true }) ?? repairs.first
        else { return nil }
        isAsking = true
        lastRead = next.source
        return .rows(next)
    }

    private func isPollDue(at now: ContinuousClock.Instant) -> Bool {
        let isSilent = follower.position.keys.contains { source in
            heardAt[source].map { now - $0 > Self.silenceLimit } ?? true
        }
        return now - polledAt > (isSilent ? Self.silenceLimit : Self.pollInterval)
    }

    /// - Returns: true when the stream is followed from here on: at first, and when its epoch is another one, so that
    ///   positions mean nothing any more.
    package func take(
        _ answer: FeedAnswer, at now: ContinuousClock.Instant, _ deliver: (FeedDelivery) -> Void
    ) -> Bool {
        isAsking = false
        switch answer {
        case .rows(let source, let replayed): pass(follower.repair(source, replayed), deliver)
        case .state(let state):
            polledAt = now
            let begins = state.epoch != epoch
            if begins { follower = FeedFollower(from: origin?(state) ?? state.heads) }
            (epoch, sources) = (state.epoch, state.sources)
            // Whoever takes it up again is given time to be heard.
            if isPaused || state.isPaused { pausedAt = now }
            isPaused = state.isPaused
            // What lies between is missing, and read like any gap.
            pass(follower.receive(state.message), deliver)
            return begins
        }
        return false
    }

    /// The question was not answered: it is asked again then.
    package func failed(until moment: ContinuousClock.Instant) {
        isAsking = false
        asksFrom = moment
    }

    /// Nothing is missing of what is committed, as far as is known.
    package var isWhole: Bool { epoch != nil && follower.repairs.isEmpty }

    /// A worker was heard of late, since each says once a second where its sources are; or the stream is paused, and
    /// there is nothing to hear.
    package func isHeard(at now: ContinuousClock.Instant) -> Bool {
        isPaused
            || (hosts.values.flatMap(\.heardAt) + [pausedAt]).contains { heardAt in
                heardAt.map { now - $0 <= HostFeeds.reconnectInterval } ?? false
            }
    }

    /// Milliseconds since 1970.
    private static func clock() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) * 1000 + Double(time.tv_nsec) / 1_000_000
    }

    private func pass(_ delivery: FeedDelivery, _ deliver: (FeedDelivery) -> Void) {
        if !delivery.isEmpty { deliver(delivery) }
    }
}
