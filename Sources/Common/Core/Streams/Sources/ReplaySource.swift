/// The source from which a stream's dead letters come when they are replayed: a row in `millrace.source` like any
/// partition's, whose offsets are a sequence of our own, so that replays go through the same fence and ledger.
package enum ReplaySource {
    /// In place of a Kafka cluster's id.
    package static let cluster = "millrace"
    private static let prefix = "$replay:"

    /// In place of a topic: no topic of Kafka's can have a `$`.
    package static func topic(of stream: String) -> String { prefix + stream }

    package static func isOne(topic: String) -> Bool { topic.hasPrefix(prefix) }
}
