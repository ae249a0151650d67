/// How a token is signed (RFC 7518, section 3.1; RFC 8037). Which one a key says, never the token.
package enum SignatureAlgorithm: String, Sendable {
    /// With a secret that the verifier has too: ours only.
    case hs256 = "HS256"
    case rs256 = "RS256"
    case es256 = "ES256"
    case edDSA = "EdDSA"
}
