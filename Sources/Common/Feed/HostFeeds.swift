import Common
import ZeroMQ

/// The feeds of one host's workers: shards are numbered there, and it has a key of its own.
final class HostFeeds {
    /// Messages of one worker that wait here; those beyond are dropped, and read from Postgres.
    private static let highWaterMark: Int32 = 64
    /// A feed that was silent for so long is connected anew: a worker may have refused us before it knew our key.
    static let reconnectInterval = Duration.seconds(10)

    private struct Feed {
        let endpoint: String
        let connectedAt: ContinuousClock.Instant
        var heardAt: ContinuousClock.Instant?
    }

    let server: CurvePublicKey?
    private let socket: Socket
    private var feeds: [Int32: Feed] = [:]

    /// - Parameters:
    ///   - own: for feeds over tcp; likewise the host's public key.
    init(
        _ topic: [UInt8], own: CurveKeyPair?, server: CurvePublicKey?, in context: Context
    ) throws(ZeroMQError) {
        self.server = server
        socket = try Socket(.subscriber, in: context, highWaterMark: Self.highWaterMark)
        if let own, let server { try socket.actAsCurveClient(own, server: server) }
        try socket.subscribe(topic)
    }

    func add(to poller: inout Poller) {
        poller.add(socket)
    }

    /// - Parameter endpoints: of the workers that there are now, by shard; none has to be there.
    func connect(_ endpoints: [Int32: String], at now: ContinuousClock.Instant) throws(ZeroMQError) {
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

    func receive() throws(ZeroMQError) -> [[UInt8]]? { try socket.receive() }

    func heard(_ shard: Int32, at now: ContinuousClock.Instant) {
        feeds[shard]?.heardAt = now
    }

    /// When each worker was heard last.
    var heardAt: [ContinuousClock.Instant?] { feeds.values.map(\.heardAt) }
}
