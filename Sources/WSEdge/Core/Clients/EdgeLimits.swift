/// What bounds clients. Times in seconds.
package struct EdgeLimits: Sendable {
    package var connections = 10_000
    /// Of a client's message.
    package var messageByteCount = 64 * 1024
    /// Of a connection.
    package var subscriptions = 16
    /// Answers that wait for a client which asks and does not read; then it is closed.
    package var waitingReplies = 64
    /// Records of a connection that Kafka has not acknowledged; one more is refused.
    package var publishing = 1000
    /// Of one request's body, and of its records.
    package var bodyByteCount = 4 * 1024 * 1024
    package var bodyRecords = 10_000
    /// Of what was read from Postgres and has still to be sent, for all clients together.
    package var readingByteCount = 64 * 1024 * 1024
    /// Of the newest rows of a stream, kept in memory for those who are a little late.
    package var ringByteCount = 16 * 1024 * 1024
    /// Of the rows of a table of one row a key, kept in memory while somebody filters them.
    package var keyedRowsByteCount = 64 * 1024 * 1024
    /// Of a log, with which a subscription begins.
    package var lastRows = 1000
    /// Requests for rows over HTTP that wait for Postgres.
    package var pages = 64
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
}
