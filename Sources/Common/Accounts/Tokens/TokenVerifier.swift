package import Common

/// Checks tokens: ours, and those of issuers that a fleet trusts. A pure value; keys of other issuers are brought to it.
package struct TokenVerifier: Sendable {
    /// Seconds by which clocks may differ.
    package static let leeway: Int64 = 10

    package var own: TokenKeys?
    /// By the issuer's name.
    package var issuers: [String: (definition: ExternalIssuer, keys: [TokenKey])] = [:]

    package init(own: TokenKeys? = nil) {
        self.own = own
    }

    /// The issuer that a token names, true or not: whose keys to ask for when they lack one.
    package static func claimedIssuer(of token: String) -> String? {
        SignedText(token).flatMap { ClaimSet($0.payload) }?.text("iss")
    }

    /// - Parameter now: seconds since 1970.
    package func verify(_ token: String, at now: Int64) throws(TokenError) -> TokenClaims {
        guard let signed = SignedText(token), let claims = ClaimSet(signed.payload) else { throw .malformed }
        guard let issuer = claims.text("iss") else { throw .claims }
        if issuer == TokenSigner.issuer {
            guard let own else { throw .unknownIssuer }
            try check(signed, own.all)
            try checkTimes(claims, now)
            guard claims.texts("aud").contains(TokenSigner.issuer) else { throw .audience }
            return try read(claims, user: "sub", role: claims.text("role"), issuer: nil)
        }
        guard let (definition, keys) = issuers[issuer] else { throw .unknownIssuer }
        try check(signed, keys)
        try checkTimes(claims, now)
        guard claims.texts("aud").contains(definition.audience) else { throw .audience }
        guard let role = definition.role(of: claims.texts(at: definition.roleClaim)) else { throw .role }
        return try read(claims, user: definition.userClaim, role: role, issuer: issuer)
    }

    /// The key is chosen by its name alone, and says the algorithm.
    private func check(_ signed: SignedText, _ keys: [TokenKey]) throws(TokenError) {
        let named = keys.filter { signed.keyID == nil || $0.id == signed.keyID }
        // Without a name there must be no choice.
        guard named.count == 1 else { throw .unknownKey }
        guard signed.algorithm == named[0].algorithm.rawValue else { throw .algorithm }
        guard signed.isSigned(with: named[0]) else { throw .signature }
    }

    private func checkTimes(_ claims: ClaimSet, _ now: Int64) throws(TokenError) {
        guard let expires = claims.time("exp") else { throw .claims }
        guard now < expires + Self.leeway else { throw .expired }
        for name in ["nbf", "iat"] where claims.has(name) {
            guard let time = claims.time(name) else { throw .claims }
            guard time <= now + Self.leeway else { throw .notYet }
        }
    }

    private func read(
        _ claims: ClaimSet, user: String, role: String?, issuer: String?
    ) throws(TokenError) -> TokenClaims {
        guard let name = claims.text(user), (1...256).contains(name.utf8.count), let role,
            Role.problem(of: role) == nil, role != Role.anyone, let expires = claims.time("exp"),
            let filters = claims.filters
        else { throw .claims }
        // Ours always say when they were made: what a user's password was then is what they stand for.
        guard let issued = claims.time("iat") ?? (issuer == nil ? nil : 0) else { throw .claims }
        return TokenClaims(
            user: name, role: role, issuer: issuer, issuedAt: issued, expiresAt: expires,
            signedInAt: claims.time("auth_time"), filters: filters, version: claims.integer("ver") ?? 0)
    }
}
