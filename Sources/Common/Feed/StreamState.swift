package import Common

/// How far a stream is committed, as one snapshot of the database holds it.
package struct StreamState: Equatable, Sendable {
    /// A partition of a topic.
    package struct Place: Hashable, Sendable {
        package var topic: String
        package var partition: Int32

        package init(topic: String, partition: Int32) {
            self.topic = topic
            self.partition = partition
        }
    }

    package struct Source: Equatable, Sendable {
        package var place: Place
        /// Its first offset.
        package var start: Int64
        /// Rows before it have been deleted.
        package var retainedFrom: Int64
        /// All before it is committed.
        package var next: Int64
        /// No worker has it, and none should.
        package var isPaused: Bool

        package init(place: Place, start: Int64, retainedFrom: Int64, next: Int64, isPaused: Bool = false) {
            self.place = place
            self.start = start
            self.retainedFrom = retainedFrom
            self.next = next
            self.isPaused = isPaused
        }
    }

    /// Changes when positions lose their meaning.
    package var epoch: String
    package var sources: [SourceID: Source]

    package init(epoch: String, sources: [SourceID: Source]) {
        self.epoch = epoch
        self.sources = sources
    }

    /// No worker publishes anything of it, and none should.
    package var isPaused: Bool { sources.values.allSatisfy(\.isPaused) && !sources.isEmpty }

    package var heads: [SourceID: Int64] { sources.mapValues(\.next) }

    /// The heads as a message of the feed that moves nothing by itself.
    package var message: FeedMessage {
        let spans = heads.map { FeedMessage.Span(source: $0, from: $1, to: $1) }
        return FeedMessage(shard: -1, committedAt: 0, spans: spans.sorted { $0.source < $1.source }, rows: [])
    }
}
