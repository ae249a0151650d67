package import Common
internal import Postgres
package import Schema
package import ZeroMQ

/// One append stream of a fleet: the workers' feeds joined with what Postgres holds, from a position on. Blocking;
/// one thread.
package struct FeedSubscription: ~Copyable {
    /// Messages of one turn, so that repairs get theirs.
    private static let messageLimitPerTurn = 1000

    private let socket: Socket
    private var reader: ReplayReader
    private var follower: FeedFollower
    /// Frames that were no message of the feed.
    package private(set) var droppedCount = 0

    /// - Parameters:
    ///   - endpoints: of all workers' feeds; none has to be there.
    ///   - position: where to go on; nil for what is committed from now on.
    package init(
        _ stream: StreamDefinition, schema: MillraceSchema, database: [String: String], endpoints: [String],
        from position: [SourceID: Int64]?, in context: Context
    ) throws {
        let socket = try Socket(.subscriber, in: context)
        for endpoint in endpoints { try socket.connect(endpoint) }
        try socket.subscribe(FeedMessage.topic(stream.name))
        var reader = ReplayReader(stream, schema: schema, database: database)
        // Subscribed first, so that what is committed after these heads were read is in the feed or behind a gap of it.
        let start =
            if let position { position } else {
                Dictionary(uniqueKeysWithValues: try reader.heads().spans.map { ($0.source, $0.to) })
            }
        self.init(consume socket, consume reader, FeedFollower(from: start))
    }

    private init(_ socket: consuming Socket, _ reader: consuming ReplayReader, _ follower: FeedFollower) {
        self.socket = socket
        self.reader = reader
        self.follower = follower
    }

    package var position: [SourceID: Int64] { follower.position }
    package var repairCount: Int { follower.repairCount }

    package func add(to poller: inout Poller) {
        poller.add(socket)
    }

    /// Takes what the workers published since the last call.
    package mutating func receive(_ deliver: (FeedDelivery) throws -> Void) throws {
        for _ in 0..<Self.messageLimitPerTurn {
            guard let parts = try socket.receive() else { return }
            guard parts.count == 2, let message = parts[1].withUnsafeBytes({ FeedMessage($0) }) else {
                droppedCount += 1
                continue
            }
            try pass(follower.receive(message), deliver)
        }
    }

    /// Asks the database how far sources are: for those whose worker is gone, and sources that no worker has yet.
    package mutating func poll(_ deliver: (FeedDelivery) throws -> Void) throws {
        try pass(follower.receive(try reader.heads()), deliver)
    }

    /// Reads a piece of all that is missing. False when nothing is. After an error, call it again.
    package mutating func repair(_ deliver: (FeedDelivery) throws -> Void) throws -> Bool {
        let repairs = follower.repairs
        for span in repairs { try pass(follower.repair(span.source, try reader.rows(span)), deliver) }
        return !repairs.isEmpty
    }

    private func pass(_ delivery: FeedDelivery, _ deliver: (FeedDelivery) throws -> Void) rethrows {
        if !delivery.isEmpty { try deliver(delivery) }
    }
}
