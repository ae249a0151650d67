import Accounts

/// Who somebody is, as a token said, and what follows from it.
struct Access: Sendable, Equatable {
    /// Nobody has signed in.
    static let nobody = Access(claims: nil, role: nil)

    /// Of the token; nil: there is none.
    let claims: TokenClaims?
    /// The token's, or another that the user has been given since.
    var role: String?

    var user: String? { claims?.user }

    /// Of our own, whose state is in the database.
    var ownUser: String? { claims?.issuer == nil ? claims?.user : nil }

    /// What all that is read of a stream has to pass, whatever was asked for: the JSON of a `where`. Nil: anything.
    func filter(of stream: String) -> [UInt8]? { claims?.filter(of: stream) }

    /// What Kafka is told of whoever publishes; nothing of it comes from the client.
    var headers: [(name: String, value: [UInt8]?)] {
        guard let user, let role else { return [] }
        return [("millrace-user", Array(user.utf8)), ("millrace-role", Array(role.utf8))]
    }
}
