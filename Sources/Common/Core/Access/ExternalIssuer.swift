/// Somebody else who makes tokens that count here: whose they are, where the keys are, and what a claim means as a role.
package struct ExternalIssuer: Hashable, Sendable, Codable {
    /// A value of the claim, and the role that it gives.
    package struct Grant: Hashable, Sendable, Codable {
        package var value: String
        package var role: String

        package init(value: String, role: String) {
            self.value = value
            self.role = role
        }
    }

    /// The tokens' `iss`.
    package var issuer: String
    /// An https URL, or the path of a file on the edge's machine: a JSON Web Key set.
    package var jwks: String
    /// What their `aud` has to hold.
    package var audience: String
    /// Where their roles are: a claim, or a path to one, as `realm_access.roles`. A text or several.
    package var roleClaim: String
    package var userClaim: String
    /// The first whose value the claim has gives the role.
    package var roles: [Grant]

    package init(
        issuer: String, jwks: String, audience: String, roleClaim: String = "role", userClaim: String = "sub",
        roles: [Grant]
    ) {
        self.issuer = issuer
        self.jwks = jwks
        self.audience = audience
        self.roleClaim = roleClaim
        self.userClaim = userClaim
        self.roles = roles
    }

    /// Nil: none here.
    package func role(of values: [String]) -> String? { roles.first { values.contains($0.value) }?.role }

    /// What is wrong with it, a sentence each.
    package var problems: [String] {
        var problems: [String] = []
        func report(_ what: String) { problems.append("issuers: '\(issuer)': \(what)") }
        if issuer.isEmpty || issuer == "millrace" {
            report("issuer: must be the tokens' iss, and not 'millrace', which is our own")
        }
        if !jwks.hasPrefix("https://"), !jwks.hasPrefix("/") {
            report("jwks: '\(jwks)' must be an https URL, or an absolute path")
        }
        if audience.isEmpty { report("audience: must not be empty: a token that is for somebody else would count") }
        if roles.isEmpty { report("roles: gives nobody a role") }
        for grant in roles {
            if let problem = Role.problem(of: grant.role) { report("roles: '\(grant.role)': \(problem)") }
            if grant.role == Role.anyone { report("roles: 'public' is no role: it needs no token") }
        }
        return problems
    }

    private enum CodingKeys: String, CodingKey {
        case issuer, jwks, audience, roles
        case roleClaim = "role_claim"
        case userClaim = "user_claim"
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            issuer: try values.decode(String.self, forKey: .issuer),
            jwks: try values.decode(String.self, forKey: .jwks),
            audience: try values.decode(String.self, forKey: .audience),
            roleClaim: try values.decodeIfPresent(String.self, forKey: .roleClaim) ?? "role",
            userClaim: try values.decodeIfPresent(String.self, forKey: .userClaim) ?? "sub",
            roles: try values.decode([Grant].self, forKey: .roles))
    }
}
