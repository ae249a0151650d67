package import Common
package import Postgres
package import ZeroMQ

/// One append stream of a fleet from now on: the workers' feeds joined with what Postgres holds, each committed row
/// once. Blocking; one thread.
package final class FeedSubscription {
    /// Messages of one turn, so that repairs get theirs.
    private static let messageLimitPerTurn = 1000
    /// Messages of one worker that wait here; those beyond are dropped, and read from Postgres.
    private static let highWaterMark: Int32 = 64
    /// A source that nobody published for so long is asked for in the database: its worker may be gone.
    private static let silenceLimit = Duration.seconds(2)
    /// And all of them so often: for sources that no worker has yet, and for the epoch.
    private static let pollInterval = Duration.seconds(10)
    /// A feed that was silent for so long is connected anew: a worker may have refused us before it knew our key.
    private static let reconnectInterval = Duration.seconds(10)

    package let stored: StoredStream
    private let socket: Socket
    private let reader: ReplayReader
    private var follower = FeedFollower(from: [:])
    private var feeds: [Int32: Feed] = [:]
    private var heardAt: [SourceID: ContinuousClock.Instant] = [:]
    private var polledAt = ContinuousClock.now
    /// Frames that were no message of the feed.
    package private(set) var droppedCount = 0
    /// Nil until it was started.
    package private(set) var epoch: String?
    /// As they were known when the database was last asked.
    package private(set) var sources: [SourceID: StreamState.Source] = [:]

    private struct Feed {
        let endpoint: String
        let connectedAt: ContinuousClock.Instant
        var heardAt: ContinuousClock.Instant?
    }

    /// - Parameter credentials: for feeds on other hosts.
    package init(
        _ stored: StoredStream, credentials: CurveCredentials?, in context: Context
    ) throws(ZeroMQError) {
        self.stored = stored
        reader = ReplayReader(stored)
        socket = try Socket(.subscriber, in: context, highWaterMark: Self.highWaterMark)
        if let credentials { try socket.actAsCurveClient(credentials.own, server: credentials.server) }
        try socket.subscribe(FeedMessage.topic(stored.stream.name))
    }

    package var position: [SourceID: Int64] { follower.position }
    package var repairCount: Int { follower.repairCount }
    package var needsRepair: Bool { !follower.repairs.isEmpty }

    package func add(to poller: inout Poller) {
        poller.add(socket)
    }

    /// The workers' feeds as they are now; none has to be there.
    package func connect(_ wanted: [EdgeConfiguration.Feed], at now: ContinuousClock.Instant) throws(ZeroMQError) {
        let endpoints = Dictionary(wanted.map { ($0.shard, $0.endpoint) }) { $1 }
        for (shard, feed) in feeds {
            let isOld =
                now - (feed.heardAt ?? feed.connectedAt) > Self.reconnectInterval && feed.endpoint.hasPrefix("tcp://")
            guard isOld || endpoints[shard] != feed.endpoint else { continue }
            // One that refused us is gone already.
            try? socket.disconnect(feed.endpoint)
            feeds[shard] = nil
        }
        for (shard, endpoint) in endpoints where feeds[shard] == nil {
            try socket.connect(endpoint)
            feeds[shard] = Feed(endpoint: endpoint, connectedAt: now)
        }
    }

    /// Reads where the stream is now: from there it is followed. Once connected, so that what is committed meanwhile
    /// is in the feed or behind a gap of it.
    /// - Parameter origin: where to begin instead, given the sources as they are.
    package func start(
        at now: ContinuousClock.Instant, from origin: ((StreamState) -> [SourceID: Int64])? = nil
    ) throws(PostgresError) {
        let state = try reader.state()
        follower = FeedFollower(from: origin?(state) ?? state.heads)
        // What lies between is missing, and read like any gap.
        _ = follower.receive(state.message)
        (epoch, sources) = (state.epoch, state.sources)
        polledAt = now
    }

    /// Takes what the workers published since the last call.
    package func receive(at now: ContinuousClock.Instant, _ deliver: (FeedDelivery) -> Void) throws(ZeroMQError) {
        for _ in 0..<Self.messageLimitPerTurn {
            guard let parts = try socket.receive() else { return }
            guard parts.count == 2, let message = parts[1].withUnsafeBytes({ FeedMessage($0) }) else {
                droppedCount += 1
                continue
            }
            feeds[message.shard]?.heardAt = now
            for span in message.spans { heardAt[span.source] = now }
            pass(follower.receive(message), deliver)
        }
    }

    /// Asks the database how far sources are, when it is time to. False when the epoch is another one: then positions
    /// mean nothing any more, and it has to be started again.
    package func poll(
        at now: ContinuousClock.Instant, _ deliver: (FeedDelivery) -> Void
    ) throws(PostgresError) -> Bool {
        let silent = follower.position.keys.contains { source in
            heardAt[source].map { now - $0 > Self.silenceLimit } ?? true
        }
        guard now - polledAt > (silent ? Self.silenceLimit : Self.pollInterval) else { return true }
        polledAt = now
        let state = try reader.state()
        guard state.epoch == epoch else { return false }
        sources = state.sources
        pass(follower.receive(state.message), deliver)
        return true
    }

    /// Reads a piece of all that is missing. After an error, call it again.
    package func repair(_ deliver: (FeedDelivery) -> Void) throws(PostgresError) {
        for span in follower.repairs { pass(follower.repair(span.source, try reader.rows(span)), deliver) }
    }

    /// A worker was heard of late: each says once a second where its sources are.
    package func isHeard(at now: ContinuousClock.Instant) -> Bool {
        feeds.values.contains { feed in feed.heardAt.map { now - $0 <= Self.reconnectInterval } ?? false }
    }

    private func pass(_ delivery: FeedDelivery, _ deliver: (FeedDelivery) -> Void) {
        if !delivery.isEmpty { deliver(delivery) }
    }
}
