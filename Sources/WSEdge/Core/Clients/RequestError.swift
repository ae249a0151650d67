import Postgres

/// What a client is answered instead of what it asked for.
struct RequestError: Error {
    /// For programs: `bad_request`, `not_connected`, `unknown_stream`, `unsupported`, `duplicate`, `limit`,
    /// `unavailable`, `unreadable`, `unauthorized`, `forbidden`, `rate_limited`, `gone`, `not_found`.
    let code: String
    /// For people.
    let message: String
    /// Milliseconds; nil: the same request will not be answered otherwise.
    var retryAfter: Int?

    /// Postgres does not answer, or the stream was begun anew meanwhile.
    static let notRead = RequestError(
        code: "unavailable", message: "where the stream is can't be read now", retryAfter: 1000)

    /// Somebody who runs the database has to act first.
    static func unreadable(_ stream: String, _ error: PostgresError) -> RequestError {
        RequestError(
            code: "unreadable", message: "rows of \(stream) can't be read: \(error.message)", retryAfter: 30_000)
    }
}
