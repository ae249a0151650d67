/// What a token says about who has it.
package struct TokenClaims: Sendable, Equatable {
    package var user: String
    package var role: String
    /// Nil: our own.
    package var issuer: String?
    /// Seconds since 1970.
    package var issuedAt: Int64
    package var expiresAt: Int64
    /// When the user signed in; what is renewed keeps it.
    package var signedInAt: Int64
    /// Per stream, or `*` for any, what every subscription and every reading of rows is filtered by, whatever it asks for: the
    /// JSON of a `where` as clients send it.
    package var filters: [String: [UInt8]]
    /// Of our own user when it was made: the user's tokens of other versions count no more.
    package var version: Int64

    package init(
        user: String, role: String, issuer: String? = nil, issuedAt: Int64, expiresAt: Int64, signedInAt: Int64? = nil,
        filters: [String: [UInt8]] = [:], version: Int64 = 0
    ) {
        self.user = user
        self.role = role
        self.issuer = issuer
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.signedInAt = signedInAt ?? issuedAt
        self.filters = filters
        self.version = version
    }

    /// Nil where the stream has none.
    package func filter(of stream: String) -> [UInt8]? { filters[stream] ?? filters["*"] }
}
