/// What bounds clients. Times in seconds.
package struct EdgeLimits: Sendable {
    package var connections = 10_000
    /// Of one address; nil: as many as in all, since a proxy's clients have its address.
    package var connectionsPerAddress: Int?
    /// Of a client's message.
    package var messageByteCount = 64 * 1024
    /// Of a connection.
    package var subscriptions = 16
    /// Answers that wait for a client which asks and does not read; then it is closed.
    package var waitingReplies = 64
    package var waitingReplyBytes = 4 * 1024 * 1024
    /// Records of a connection that Kafka has not acknowledged; one more is refused.
    package var publishing = 1000
    /// Of one request's body, and of its records.
    package var bodyByteCount = 4 * 1024 * 1024
    package var bodyRecords = 10_000
    /// Of rows in memory, for all clients and streams together; what a connection itself takes comes on top.
    package var memoryByteCount = 256 * 1024 * 1024
    /// Of a log, with which a subscription begins.
    package var lastRows = 1000
    /// Requests for rows over HTTP that wait for Postgres.
    package var pages = 64
    /// A request for rows of a log that are still to come waits so long: less than caches and proxies do.
    package static let pollSeconds = 20
    /// From the connection's begin to the `connect` message.
    package var connectSeconds = 10
    /// A client that takes nothing for so long is let go.
    package var slowSeconds = 30
    /// A subscription is told at least so often that it is alive.
    package var progressSeconds = 25
    package var pingSeconds: UInt16 = 25
    /// From a `goaway` until connections end.
    package var drainSeconds = 5

    package init() {}

    /// Of the newest rows, kept for those who are a little late: all streams' together. As much again are the groups' own.
    var ringByteCount: Int { memoryByteCount / 4 }
    /// Of rows that are kept to know which leave a filter: all streams' together.
    var keyedRowsByteCount: Int { memoryByteCount / 4 }
    /// Of what was read from Postgres and has still to be sent.
    var readingByteCount: Int { memoryByteCount / 4 }
}
