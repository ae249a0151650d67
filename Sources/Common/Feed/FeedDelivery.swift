package import Common

/// The next rows of a feed that are due to a subscriber, each once and in the order of its source.
package struct FeedDelivery: Equatable, Sendable {
    package var rows: [FeedMessage.Row] = []
    /// The next offset of each source that this moves: merged into what the subscriber has, it is where it resumes.
    package var position: [SourceID: Int64] = [:]
    /// What the subscriber should have got and can't, since retention has deleted it.
    package var lost: [FeedMessage.Span] = []

    /// What was missing was read: of a table of one row a key its rows are as they are by now, and what they were on the way is
    /// not told.
    package var isRead = false

    package init() {}

    package var isEmpty: Bool { position.isEmpty }
}
