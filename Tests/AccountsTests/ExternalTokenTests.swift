import Accounts
import Common
import Foundation
import TestSupport
import Testing

@Suite("Tokens of other issuers", .timeLimit(.minutes(1)))
struct ExternalTokenTests {
    private static let now = Int64(Date().timeIntervalSince1970)
    private static let name = "https://login.example.org/"

    private static func definition(_ jwks: String) -> ExternalIssuer {
        ExternalIssuer(
            issuer: name, jwks: jwks, audience: "millrace", roleClaim: "realm_access.roles",
            roles: [.init(value: "grid-admins", role: "admin"), .init(value: "grid", role: "viewer")])
    }

    private static func payload(
        issuer: String = name, audience: String = #"["other","millrace"]"#, roles: String = #"["staff","grid"]"#,
        more: String = ""
    ) -> String {
        """
        {"iss":"\(issuer)","aud":\(audience),"sub":"u-1","exp":\(now + 600),"iat":\(now),\
        "realm_access":{"roles":\(roles)}\(more)}
        """
    }

    /// A file of keys that goes with it.
    private final class KeySet {
        let path = FileManager.default.temporaryDirectory.appending(path: "jwks-\(UUID().uuidString).json").path

        func write(_ keys: [String]) throws {
            try Data(#"{"keys":[\#(keys.joined(separator: ","))]}"#.utf8).write(
                to: URL(filePath: path), options: .atomic)
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    /// The keys of a file as soon as they have been read; each change is waited for.
    private final class Reading {
        let keys: IssuerKeys
        private let changes = DispatchSemaphore(value: 0)

        init(_ path: String, retry: Duration = .seconds(60)) {
            var intervals = IssuerKeys.Intervals()
            intervals.retry = retry
            keys = IssuerKeys(intervals: intervals) { [changes] in changes.signal() }
            keys.use([ExternalTokenTests.definition(path)])
        }

        func waitForChange() throws { try #require(changes.wait(timeout: .now() + 20) == .success) }

        var verifier: TokenVerifier {
            var verifier = TokenVerifier()
            verifier.issuers = keys.issuers
            return verifier
        }
    }

    private func refusal(_ token: String, _ verifier: TokenVerifier) -> TokenError? {
        do throws(TokenError) {
            _ = try verifier.verify(token, at: Self.now)
            return nil
        } catch {
            return error
        }
    }

    @Test(
        "A token of an issuer's key counts, with the role that a claim gives", arguments: ["RS256", "ES256", "EdDSA"])
    func signed(algorithm: String) throws {
        let (set, issuer) = (KeySet(), TestIssuer(algorithm))
        try set.write([issuer.publicKey])
        let reading = Reading(set.path)
        try reading.waitForChange()
        let claims = try reading.verifier.verify(
            issuer.token(Self.payload(more: #","where":{"*":{"tenant":["a"]}}"#)), at: Self.now)
        #expect(claims.user == "u-1" && claims.role == "viewer" && claims.issuer == Self.name)
        #expect(claims.filter(of: "stock").map { String(decoding: $0, as: UTF8.self) } == #"{"tenant":["a"]}"#)
        let mighty = try reading.verifier.verify(
            issuer.token(Self.payload(roles: #"["grid","grid-admins"]"#)), at: Self.now)
        #expect(mighty.role == "admin")
    }

    @Test("Another audience, another issuer, no role, a filter that can't be read: refused")
    func claims() throws {
        let (set, issuer) = (KeySet(), TestIssuer("ES256"))
        try set.write([issuer.publicKey])
        let reading = Reading(set.path)
        try reading.waitForChange()
        #expect(refusal(issuer.token(Self.payload()), reading.verifier) == nil)
        #expect(refusal(issuer.token(Self.payload(audience: #""other""#)), reading.verifier) == .audience)
        #expect(
            refusal(issuer.token(Self.payload(issuer: "https://evil.example.org/")), reading.verifier) == .unknownIssuer
        )
        #expect(refusal(issuer.token(Self.payload(roles: "[]")), reading.verifier) == .role)
        for filter in [#""all""#, #"{"s":"x"}"#, #"{"s":{}}"#] {
            #expect(refusal(issuer.token(Self.payload(more: #","where":\#(filter)"#)), reading.verifier) == .claims)
        }
        #expect(refusal(issuer.token(Self.payload(more: #","nbf":\#(Self.now + 60)"#)), reading.verifier) == .notYet)
        // What the issuer signs in our name is not ours.
        #expect(refusal(issuer.token(Self.payload(issuer: "millrace")), reading.verifier) == .unknownIssuer)
    }

    @Test("An RSA public key is no secret to sign with, whatever a token says")
    func confusion() throws {
        let (set, issuer) = (KeySet(), TestIssuer("RS256"))
        try set.write([issuer.publicKey])
        let reading = Reading(set.path)
        try reading.waitForChange()
        for secret in [issuer.modulus, Array(issuer.publicKey.utf8)] {
            let forged = TestIssuer(secret: secret, id: issuer.id).token(Self.payload())
            #expect(refusal(forged, reading.verifier) == .algorithm)
        }
        #expect(refusal(TestIssuer.unsigned(Self.payload()), reading.verifier) == .algorithm)
        #expect(
            refusal(
                issuer.token(Self.payload(), head: #"{"alg":"RS256","kid":"\#(issuer.id)","crit":["exp"],"exp":1}"#),
                reading.verifier) == .malformed)
    }

    @Test("Secrets and weak keys in a key set are passed over")
    func weakKeys() throws {
        let (set, issuer) = (KeySet(), TestIssuer("ES256"))
        let secret = #"{"kty":"oct","kid":"s","alg":"HS256","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#
        let short = #"{"kty":"RSA","kid":"w","e":"AQAB","n":"\#(TestIssuer.text(Array(repeating: 201, count: 128)))"}"#
        try set.write([secret, short, issuer.publicKey])
        let reading = Reading(set.path)
        try reading.waitForChange()
        #expect(reading.keys.issuers[Self.name]?.keys.map(\.id) == [issuer.id])
    }

    @Test("A key that is new is read when a token names it, and not again for what is made up")
    func rotated() throws {
        let (set, old, new) = (KeySet(), TestIssuer("ES256"), TestIssuer("RS256"))
        try set.write([old.publicKey])
        let reading = Reading(set.path, retry: .zero)
        try reading.waitForChange()
        #expect(refusal(new.token(Self.payload()), reading.verifier) == .unknownKey)
        try set.write([new.publicKey])
        #expect(reading.keys.want(Self.name))
        try reading.waitForChange()
        #expect(refusal(new.token(Self.payload()), reading.verifier) == nil)
        #expect(refusal(old.token(Self.payload()), reading.verifier) == .unknownKey)

        let patient = Reading(set.path)
        try patient.waitForChange()
        #expect(!patient.keys.want(Self.name))
        #expect(!patient.keys.want("https://nobody.example.org/"))
    }

    @Test("A key set that can't be read any more takes no key away")
    func unreadable() throws {
        let (set, issuer, other) = (KeySet(), TestIssuer("ES256"), TestIssuer("ES256"))
        try set.write([issuer.publicKey])
        let reading = Reading(set.path, retry: .zero)
        try reading.waitForChange()
        try Data("<html>".utf8).write(to: URL(filePath: set.path))
        #expect(reading.keys.want(Self.name))
        try set.write([issuer.publicKey, other.publicKey])
        // After a failure it is read again by itself.
        try reading.waitForChange()
        #expect(refusal(issuer.token(Self.payload()), reading.verifier) == nil)
    }
}
