import Common
import Feed
import Postgres

/// What was read, and for whom.
struct ReplayAnswer: Sendable {
    enum Kind: Sendable {
        case state(ResumeRequest, Result<StreamState, PostgresError>)
        case rows(FeedMessage.Span, ReplayedRows, [FeedBatch])
        /// What was asked for can't be read, and asking again will not help.
        case failed
    }

    let client: UInt64
    let sub: Int
    /// Of the subscription, for its rows.
    let serial: UInt64
    let kind: Kind
}
