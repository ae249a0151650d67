import Common
import Foundation
import TestSupport
import Testing

extension Fleet {
    /// Users that may sign in, each with the password that `password(of:)` says.
    func addUsers(_ roles: [String: String]) throws {
        for (name, role) in roles.sorted(by: { $0.key < $1.key }) {
            let output = try command(["users", "add", name, "--role", role], input: Self.password(of: name) + "\n")
            try #require(output.code == 0, "\(output.errors)")
        }
    }

    static func password(of name: String) -> String { "secret-of-\(name)-0" }

    /// Believes tokens of https://login.example.org/ for the audience millrace, signed with these keys.
    /// - Parameter roles: by the values of its claim `groups`.
    func trust(_ keys: [TestIssuer], roles: KeyValuePairs<String, String>) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let path = folder + "/jwks.json"
        let document = #"{"keys":[\#(keys.map(\.publicKey).joined(separator: ","))]}"#
        try document.write(toFile: path, atomically: true, encoding: .utf8)
        issuers = [
            ExternalIssuer(
                issuer: "https://login.example.org/", jwks: path, audience: "millrace", roleClaim: "groups",
                roles: roles.map { .init(value: $0.key, role: $0.value) })
        ]
    }

    /// Nothing that processes wrote into the fleet's folder has any of these in it.
    /// - Parameter secrets: tokens, passwords.
    func expectNoSecrets(_ secrets: [String], sourceLocation: SourceLocation = #_sourceLocation) throws {
        let files = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        let logs = files.filter { $0.hasSuffix(".log") || $0.hasSuffix(".err") }
        #expect(!logs.isEmpty, sourceLocation: sourceLocation)
        for log in logs {
            let text = try String(contentsOfFile: "\(folder)/\(log)", encoding: .utf8)
            for secret in secrets { #expect(!text.contains(secret), "\(log)", sourceLocation: sourceLocation) }
            #expect(!text.contains("eyJ"), "\(log)", sourceLocation: sourceLocation)
        }
    }
}
