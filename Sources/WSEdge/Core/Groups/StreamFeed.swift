import Common
import Feed

/// A stream as the server's thread has it: its newest rows, and the groups of those who are subscribed.
final class StreamFeed {
    /// Where it begins to be followed.
    struct Opening: Sendable {
        let stored: StoredStream
        let epoch: String
        let sources: [SourceID: StreamState.Source]
        /// Numbers of its groups, not used before.
        let sub: Int
        let plainSub: Int
    }

    let opening: Opening
    var ring: StreamRing
    /// Whole logs in the protocol, and for those without one.
    let log: Group
    let plain: Group
    /// By topic and partition.
    var sources: [StreamState.Place: SourceID]

    var stream: StreamDefinition { opening.stored.stream }
    var groups: [Group] { [log, plain] }

    init(_ opening: Opening) {
        self.opening = opening
        sources = Self.places(opening.sources)
        ring = StreamRing(from: opening.sources.mapValues(\.next))
        log = Group(sub: opening.sub, .messages(sub: opening.sub))
        plain = Group(sub: opening.plainSub, .plain)
    }

    static func places(_ sources: [SourceID: StreamState.Source]) -> [StreamState.Place: SourceID] {
        Dictionary(sources.map { ($0.value.place, $0.key) }) { max($0, $1) }
    }

    func deliver(_ rows: [FeedMessage.Row], position: [SourceID: Int64]) {
        ring.append(rows, position: position)
        for group in groups { group.wake() }
    }
}
