package import Common

/// What a follower of a stream has to know from Postgres.
package enum FeedQuestion: Sendable {
    /// How far the stream is.
    case state
    /// The first rows of a span that is committed.
    case rows(FeedMessage.Span)
}

/// What Postgres said.
package enum FeedAnswer: Sendable {
    case state(StreamState)
    case rows(SourceID, ReplayedRows)
}
