import Common
import Schema

/// A stream as the server's thread has it: its newest messages, and who is subscribed.
final class StreamFeed {
    /// Where it begins to be followed.
    struct Opening: Sendable {
        let stream: StreamDefinition
        let schema: MillraceSchema
        /// The group's number in messages, not used before.
        let sub: Int
        let epoch: String
        let position: [SourceID: Int64]
    }

    let opening: Opening
    var ring: FeedRing
    var subscribers: [UInt64: EdgeClient] = [:]

    var sub: Int { opening.sub }

    init(_ opening: Opening) {
        self.opening = opening
        ring = FeedRing(from: opening.position)
    }
}
