private import Foundation

/// Makes our own tokens.
package struct TokenSigner: Sendable {
    /// Who makes them, and for whom: ours are of no use elsewhere.
    static let issuer = "millrace"

    private let keys: TokenKeys

    package init(_ keys: TokenKeys) {
        self.keys = keys
    }

    /// Nil when there is no memory for it.
    package func token(_ claims: TokenClaims) -> String? {
        var members: [String: Any] = [
            "iss": Self.issuer, "aud": Self.issuer, "sub": claims.user, "role": claims.role, "iat": claims.issuedAt,
            "exp": claims.expiresAt, "auth_time": claims.signedInAt, "ver": claims.version,
        ]
        if !claims.filters.isEmpty {
            members["where"] = claims.filters.compactMapValues { try? JSONSerialization.jsonObject(with: Data($0)) }
        }
        guard let payload = try? JSONSerialization.data(withJSONObject: members, options: .sortedKeys) else {
            return nil
        }
        return SignedText.sign(Array(payload), with: keys.signing)
    }
}
