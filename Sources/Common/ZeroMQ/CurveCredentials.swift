private import Glibc

/// What a client needs to reach a server: its own pair, and the server's public key.
///
/// As text it is a file of two lines, which an operator copies to the client's host:
///
///     client-secret KEY
///     server-public KEY
///
/// A client of several servers has a line more for each.
package struct CurveCredentials: Equatable, Sendable {
    package let own: CurveKeyPair
    /// At least one.
    package let servers: [CurvePublicKey]
    package var server: CurvePublicKey { servers[0] }

    package init(own: CurveKeyPair, server: CurvePublicKey) {
        self.own = own
        servers = [server]
    }

    /// Empty lines and lines that begin with `#` don't count (a key can hold a `#`, but begins no line).
    /// Errors tell lines by number, and never repeat them: one of them is a secret.
    package init(text: String) throws(ZeroMQError) {
        var secret: String?
        var servers: [CurvePublicKey] = []
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
            if words.isEmpty || words[0].hasPrefix("#") { continue }
            if words.count == 2, words[0] == Self.secretName, secret == nil {
                secret = words[1]
            } else if words.count == 2, words[0] == Self.serverName {
                servers.append(try CurvePublicKey(words[1]))
            } else {
                throw Self.malformed(
                    "line \(index + 1) is not one of `\(Self.secretName) KEY`, `\(Self.serverName) KEY`")
            }
        }
        guard let secret, !servers.isEmpty else {
            throw Self.malformed("needs the lines `\(Self.secretName) KEY` and `\(Self.serverName) KEY`")
        }
        own = try CurveKeyPair(secretKey: CurveSecretKey(secret))
        self.servers = servers
    }

    /// With the secret key: for a file that only its owner reads, and for nothing that is logged.
    package var text: String {
        "\(Self.secretName) \(own.secretKey.text)\n" + servers.map { "\(Self.serverName) \($0.text)\n" }.joined()
    }

    private static let secretName = "client-secret"
    private static let serverName = "server-public"

    private static func malformed(_ message: String) -> ZeroMQError {
        ZeroMQError(operation: "CURVE credentials", code: EINVAL, message: message)
    }
}

extension CurveCredentials: CustomStringConvertible {
    package var description: String { "\(own), server \(server)" }
}
