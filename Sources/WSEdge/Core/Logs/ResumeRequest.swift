import Common
import Feed

/// A subscription that waits for what Postgres says.
struct ResumeRequest: Sendable {
    let client: UInt64
    let request: RequestID
    let stream: String
    /// Which opening of the stream: its columns and positions may be others by the time of the answer.
    let opening: Int
    let key: GroupKey
    /// The subscription that it takes the place of.
    let replacing: Int?
    let start: Start

    enum Start: Sendable {
        /// Goes on where a subscription was. Where it can't, and the client wants one, a snapshot comes.
        case position([SourceID: Int64], epoch: String, takesSnapshot: Bool)
        /// With so many of the newest rows.
        case last(Int)
    }
}
