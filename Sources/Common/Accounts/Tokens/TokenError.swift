/// Why a token does not count. Nothing of the token is in it, nor which of its parts was right.
package enum TokenError: Error, Equatable, Sendable {
    /// It is none, or a kind of token that nobody here makes.
    case malformed
    /// No key of its issuer has its number: an issuer may have a new one.
    case unknownKey
    case unknownIssuer
    /// It says another algorithm than its key has, or `none`.
    case algorithm
    case signature
    case expired
    case notYet
    case audience
    /// Claims are missing, or not what they should be.
    case claims
    /// Its issuer's claims give it no role here.
    case role
}

extension TokenError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .malformed: "it is no token"
        case .unknownKey: "the token is signed with a key that is not known here"
        case .unknownIssuer: "the token's issuer is not known here"
        case .algorithm: "the token's algorithm is not its key's"
        case .signature: "the token's signature is wrong"
        case .expired: "the token has expired"
        case .notYet: "the token is not valid yet; is a clock wrong?"
        case .audience: "the token is for somebody else"
        case .claims: "the token lacks a claim, or has one that can't be read"
        case .role: "the token gives no role here"
        }
    }
}
