import Common
import Postgres
import Schema

/// What was read, and for whom.
struct ReplayAnswer: Sendable {
    enum Kind: Sendable {
        case state(request: Int64, epoch: String, position: [SourceID: Int64], Result<StreamState, PostgresError>)
        case rows(FeedMessage.Span, ReplayedRows, [FeedBatch])
    }

    let client: UInt64
    let sub: Int
    let kind: Kind
}
