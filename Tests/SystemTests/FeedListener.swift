import Common
import Testing
import ZeroMQ

/// Subscribes to the feeds of all shards that a fleet may have, and keeps where each row was published.
///
/// A publisher drops what a subscriber is late for: what is missing here is no fault, what is twice or was never
/// committed is one.
final class FeedListener {
    private let socket: Socket
    private var seen: Set<String> = []
    private(set) var twice: [String] = []

    init(_ stream: String, folder: String, shards: Int32) throws {
        socket = try Socket(.subscriber, in: Context(), highWaterMark: 1_000_000)
        for shard in 0..<shards { try socket.connect("ipc://\(folder)/control/feed-\(shard)") }
        try socket.subscribe(FeedMessage.topic(stream))
    }

    /// Takes what has come.
    func collect() throws {
        while let parts = try socket.receive() {
            let message = try #require(parts[1].withUnsafeBytes { FeedMessage($0) })
            for row in message.rows {
                let place = "\(row.source)|\(row.offset)"
                if !seen.insert(place).inserted { twice.append(place) }
            }
        }
    }

    var published: Set<String> { seen }
}
