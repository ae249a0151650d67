import Accounts
import Common
import Foundation
import TestSupport
import Testing

@Suite("Tokens", .timeLimit(.minutes(1)))
struct TokenTests {
    private static let now: Int64 = 1_800_000_000
    private static let claims = TokenClaims(
        user: "ada", role: "operator", issuedAt: now, expiresAt: now + 3600,
        filters: ["traffic_data": Array(#"{"label":["heavy"],"n":{"gte":50}}"#.utf8)])

    private let keys = TokenKeys.make()

    private func token(_ claims: TokenClaims = claims, _ keys: TokenKeys? = nil) throws -> String {
        try #require(TokenSigner(keys ?? self.keys).token(claims))
    }

    private func refusal(_ token: String, _ verifier: TokenVerifier? = nil, at now: Int64 = now) -> TokenError? {
        do throws(TokenError) {
            _ = try (verifier ?? TokenVerifier(own: keys)).verify(token, at: now)
            return nil
        } catch {
            return error
        }
    }

    @Test("What is signed is read again, mandatory filters as the data that they are")
    func roundTrip() throws {
        let read = try TokenVerifier(own: keys).verify(try token(), at: Self.now + 100)
        #expect(read == Self.claims)
        #expect(
            read.filter(of: "traffic_data").map { String(decoding: $0, as: UTF8.self) }
                == #"{"label":["heavy"],"n":{"gte":50}}"#)
        #expect(read.filter(of: "stock") == nil)
    }

    @Test("A filter for any stream holds for those without one of their own")
    func anyStream() {
        var claims = Self.claims
        claims.filters["*"] = Array(#"{"tenant":["a"]}"#.utf8)
        #expect(claims.filter(of: "stock") == claims.filters["*"])
        #expect(claims.filter(of: "traffic_data") == Self.claims.filters["traffic_data"])
    }

    @Test("Keys survive their file; after a rotation the newest signs, and those before it still check")
    func rotation() throws {
        let read = try TokenKeys(text: keys.text)
        #expect(read == keys)
        let rotated = read.rotated()
        let (old, new) = (try token(), try token(Self.claims, rotated))
        #expect(refusal(old, TokenVerifier(own: rotated)) == nil)
        #expect(refusal(new, TokenVerifier(own: rotated)) == nil)
        #expect(refusal(new, TokenVerifier(own: read)) == .unknownKey)
        let twice = rotated.rotated(keeping: 1)
        #expect(refusal(old, TokenVerifier(own: twice)) == .unknownKey)
        #expect(refusal(new, TokenVerifier(own: twice)) == nil)
    }

    @Test("A token of another key is refused")
    func otherKey() throws {
        #expect(refusal(try token(Self.claims, .make())) == .unknownKey)
        // Also one that gives its key our key's name.
        let name = try #require(keys.all[0].id)
        let forged = TestIssuer(secret: Array(repeating: 7, count: 32), id: name).token(
            #"{"iss":"millrace","aud":"millrace","sub":"ada","role":"admin","iat":\#(Self.now),"exp":\#(Self.now + 60)}"#
        )
        #expect(refusal(forged) == .signature)
    }

    @Test("A token that was changed is refused", arguments: [0, 1, 2])
    func changed(part: Int) throws {
        var parts = try token().split(separator: ".").map(String.init)
        let index = parts[part].index(parts[part].startIndex, offsetBy: 9)
        parts[part].replaceSubrange(index...index, with: parts[part][index] == "A" ? "B" : "A")
        #expect(refusal(parts.joined(separator: ".")) != nil)
    }

    @Test("Without a signature nothing counts", arguments: ["none", "None", "HS256", ""])
    func unsigned(algorithm: String) {
        let payload =
            #"{"iss":"millrace","aud":"millrace","sub":"ada","role":"admin","iat":\#(Self.now),"exp":\#(Self.now + 60)}"#
        #expect(
            refusal(TestIssuer.unsigned(payload, algorithm: algorithm))
                == (algorithm == "HS256" ? .signature : .algorithm))
    }

    @Test("A token counts until it expires, and from its first moment on, give or take ten seconds")
    func times() throws {
        let token = try token()
        #expect(refusal(token, at: Self.now + 3609) == nil)
        #expect(refusal(token, at: Self.now + 3610) == .expired)
        #expect(refusal(token, at: Self.now - 10) == nil)
        #expect(refusal(token, at: Self.now - 11) == .notYet)
    }

    @Test("What is no token is refused", arguments: ["", "a.b", "a.b.c", "....", String(repeating: "a", count: 9000)])
    func garbage(text: String) {
        #expect(refusal(text) == .malformed)
    }

    @Test(
        "A set of keys that can't be trusted is refused",
        arguments: [
            "", "[]", #"{"keys":[]}"#, #"{"keys":[{"kty":"oct","alg":"HS256","kid":"a","k":"c2hvcnQ"}]}"#,
            #"{"keys":[{"kty":"oct","alg":"none","kid":"a","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}"#,
            #"{"keys":[{"kty":"oct","alg":"HS256","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}"#,
        ])
    func badKeys(text: String) {
        #expect(throws: StartError.self) { try TokenKeys(text: text) }
    }
}
