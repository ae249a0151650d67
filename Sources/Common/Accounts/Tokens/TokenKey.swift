private import Foundation

/// A key that signs tokens, or checks them: a JSON Web Key (RFC 7517) that was looked at.
package struct TokenKey: Sendable, Equatable {
    /// Its name in the tokens' heads; nil where an issuer has one key, and gives it none.
    package let id: String?
    package let algorithm: SignatureAlgorithm
    /// As JSON, for the library. May be secret: never logged.
    let json: String
    /// Of an Ed25519 key, which the library doesn't know.
    let edwardsKey: [UInt8]?

    private static let secretByteCount = 32
    /// RFC 7518, section 3.3: at least 2048 bits.
    private static let modulusByteMinimum = 256

    /// A new secret, under a new name.
    package static func make() -> TokenKey {
        let name = SecureBytes.random(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return TokenKey(secret: SecureBytes.random(secretByteCount), id: name)
    }

    private init(secret: [UInt8], id: String) {
        self.id = id
        algorithm = .hs256
        json = #"{"alg":"HS256","k":"\#(Base64URL.encode(secret))","kid":"\#(id)","kty":"oct"}"#
        edwardsKey = nil
    }

    /// One of our own, from its file. Nil for any other.
    init?(own member: [String: Any]) {
        guard member["kty"] as? String == "oct", member["alg"] as? String == SignatureAlgorithm.hs256.rawValue,
            let id = member["kid"] as? String, !id.isEmpty,
            id.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }),
            let secret = (member["k"] as? String).flatMap({ Base64URL.decode($0) }),
            secret.count >= Self.secretByteCount
        else { return nil }
        self.init(secret: secret, id: id)
    }

    /// A public key of another issuer. Nil for what can't sign tokens here: secrets above all, since who has one to check
    /// could sign; weak keys; other uses and algorithms.
    init?(public member: [String: Any]) {
        guard member["use"] as? String ?? "sig" == "sig" else { return nil }
        if let operations = member["key_ops"] as? [String], !operations.contains("verify") { return nil }
        var kept: [String: String] = [:]
        func keep(_ names: [String]) -> Bool {
            for name in names {
                guard let value = member[name] as? String else { return false }
                kept[name] = value
            }
            return true
        }
        var edwardsKey: [UInt8]?
        switch (member["kty"] as? String, member["crv"] as? String) {
        case ("RSA", _):
            guard keep(["n", "e"]), let modulus = Base64URL.decode(kept["n"]!),
                modulus.drop(while: { $0 == 0 }).count >= Self.modulusByteMinimum
            else { return nil }
            algorithm = .rs256
        case ("EC", "P-256"):
            guard keep(["crv", "x", "y"]) else { return nil }
            algorithm = .es256
        case ("OKP", "Ed25519"):
            guard keep(["crv", "x"]), let point = Base64URL.decode(kept["x"]!), point.count == 32 else { return nil }
            algorithm = .edDSA
            edwardsKey = point
        default: return nil
        }
        // RFC 9864 has names of its own for each curve.
        let names = algorithm == .edDSA ? ["EdDSA", "Ed25519"] : [algorithm.rawValue]
        if let named = member["alg"] as? String, !names.contains(named) { return nil }
        kept["kty"] = member["kty"] as? String
        kept["alg"] = algorithm.rawValue
        guard let text = try? JSONSerialization.data(withJSONObject: kept, options: .sortedKeys) else { return nil }
        id = member["kid"] as? String
        json = String(decoding: text, as: UTF8.self)
        self.edwardsKey = edwardsKey
    }
}
