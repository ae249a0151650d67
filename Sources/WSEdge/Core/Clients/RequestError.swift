/// What a client is answered instead of what it asked for.
struct RequestError: Error {
    /// For programs: `bad_request`, `not_connected`, `unknown_stream`, `unsupported`, `duplicate`, `limit`,
    /// `unavailable`.
    let code: String
    /// For people.
    let message: String
    /// Milliseconds; nil: the same request will not be answered otherwise.
    var retryAfter: Int?
}
