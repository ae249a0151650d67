import Common
import Feed

/// A stream as the server's thread has it: how far it is, and the groups of those who are subscribed.
final class StreamFeed {
    /// Where it begins to be followed.
    struct Opening: Sendable {
        let stored: StoredStream
        let epoch: String
        let sources: [SourceID: StreamState.Source]
        /// Numbers of its groups, not used before.
        let sub: Int
        let plainSub: Int

        var position: [SourceID: Int64] { sources.mapValues(\.next) }
    }

    let opening: Opening
    /// Whole logs in the protocol, kept while nobody is subscribed for those who come back.
    let log: Group
    /// And for those without one.
    let plain: Group
    /// By topic and partition.
    var sources: [StreamState.Place: SourceID]

    var stream: StreamDefinition { opening.stored.stream }
    var groups: [Group] { [log, plain] }

    init(_ opening: Opening) {
        self.opening = opening
        sources = Self.places(opening.sources)
        log = Group(sub: opening.sub, .messages(sub: opening.sub), from: opening.position)
        plain = Group(sub: opening.plainSub, .plain, from: opening.position)
    }

    static func places(_ sources: [SourceID: StreamState.Source]) -> [StreamState.Place: SourceID] {
        Dictionary(sources.map { ($0.value.place, $0.key) }) { max($0, $1) }
    }

    /// Encodes once for each group what it gets.
    func deliver(_ rows: [FeedMessage.Row], position: [SourceID: Int64]) {
        log.append(rows, position: position)
        plain.append(rows, position: position)
    }
}
