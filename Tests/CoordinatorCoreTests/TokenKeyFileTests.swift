import Accounts
import Common
import CoordinatorCore
import Foundation
import Testing

@Suite("The file of keys for tokens")
final class TokenKeyFileTests {
    private let runtimeFolder = FileManager.default.temporaryDirectory.appending(path: "tk-\(UUID().uuidString)").path

    deinit { try? FileManager.default.removeItem(atPath: runtimeFolder) }

    private var path: String { runtimeFolder + "/keys/tokens.json" }

    private func keys() throws -> TokenKeys { try KeyFolder(in: runtimeFolder).tokenKeys() }

    @Test("Keys are made once, are their owner's only, and are refused where others could have read them")
    func made() throws {
        let made = try keys()
        #expect(try keys() == made)
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
        #expect(throws: StartError.self) { try keys() }
    }

    @Test("A rotation keeps the two keys before it, so that what they signed still counts, and no third one")
    func rotated() throws {
        let now: Int64 = 1_800_000_000
        var tokens: [String] = []
        for _ in 0..<4 {
            let claims = TokenClaims(user: "ada", role: "viewer", issuedAt: now, expiresAt: now + 60)
            tokens.append(try #require(TokenSigner(try keys()).token(claims)))
            try KeyFolder(in: runtimeFolder).rotateTokenKeys()
        }
        let verifier = TokenVerifier(own: try keys())
        #expect(tokens.map { (try? verifier.verify($0, at: now)) != nil } == [false, false, true, true])
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
    }
}
