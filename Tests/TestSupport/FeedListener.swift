internal import Common
internal import ZeroMQ

/// Subscribes to feeds of one stream, and keeps where each row was published.
///
/// A publisher drops what a subscriber is late for: what is missing here is no fault, what is twice or was never
/// committed is one. Used from one thread.
package final class FeedListener {
    /// A frame that is no message of the feed.
    package struct BadFrame: Error {
        package let bytes: [UInt8]
    }

    private let socket: Socket
    private let feeds: FleetFeeds
    /// `source|offset` of each row.
    package private(set) var published: Set<String> = []
    package private(set) var twice: [String] = []
    /// Rows and heads alike: the first shows that the subscription has arrived.
    package private(set) var messageCount = 0

    /// To those of all workers of a fleet, as they come.
    /// - Parameter folder: where their sockets are.
    package init(_ stream: String, folder: String) throws {
        socket = try Socket(.subscriber, in: Context(), highWaterMark: 1_000_000)
        feeds = FleetFeeds(folder)
        try socket.subscribe(FeedMessage.topic(stream))
    }

    /// Takes what has come.
    package func collect() throws {
        try feeds.connect(socket)
        while let parts = try socket.receive() {
            guard let message = parts[1].withUnsafeBytes({ FeedMessage($0) }) else { throw BadFrame(bytes: parts[1]) }
            messageCount += 1
            for row in message.rows {
                let place = "\(row.source)|\(row.offset)"
                if !published.insert(place).inserted { twice.append(place) }
            }
        }
    }
}
