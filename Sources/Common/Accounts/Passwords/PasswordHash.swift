internal import CCrypto
private import Foundation

/// A password as it is kept: scrypt (RFC 7914) with its parameters, `$scrypt$ln=15,r=8,p=3$SALT$HASH` (the PHC string format).
/// A check takes about a fifth of a second and 32 MiB: on a thread that may wait.
package struct PasswordHash: Sendable, Equatable {
    private struct Cost: Equatable {
        /// The logarithm of N.
        var exponent: Int
        var blockSize: Int
        var parallelism: Int

        /// Of new hashes: as the OWASP Password Storage Cheat Sheet has it.
        static let current = Cost(exponent: 15, blockSize: 8, parallelism: 3)

        var byteCount: Int { 128 * blockSize * (1 << exponent) }

        /// A hash that somebody wrote by hand must not take the memory that others need, nor the time.
        var isBounded: Bool {
            (10...20).contains(exponent) && (1...32).contains(blockSize) && (1...16).contains(parallelism)
                && byteCount <= Self.byteLimit
        }

        static let byteLimit = 256 * 1024 * 1024
    }

    private static let saltByteCount = 16
    private static let hashByteCount = 32

    private let cost: Cost
    private let salt: [UInt8]
    private let hash: [UInt8]

    /// Nil when there is no memory for it.
    package init?(of password: String) {
        cost = .current
        salt = SecureBytes.random(Self.saltByteCount)
        guard let hash = Self.derive(password, salt, cost, byteCount: Self.hashByteCount) else { return nil }
        self.hash = hash
    }

    /// Nil for what is no such hash.
    package init?(text: String) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0].isEmpty, parts[1] == "scrypt", let cost = Self.cost(parts[2]), cost.isBounded,
            let salt = Self.bytes(parts[3]), let hash = Self.bytes(parts[4]), (8...64).contains(salt.count),
            (16...64).contains(hash.count)
        else { return nil }
        (self.cost, self.salt, self.hash) = (cost, salt, hash)
    }

    package var text: String {
        "$scrypt$ln=\(cost.exponent),r=\(cost.blockSize),p=\(cost.parallelism)$\(Self.text(salt))$\(Self.text(hash))"
    }

    /// Whether the password is the one of this hash. Without a hash, since there is no such user, it takes as long, and is not.
    package static func check(_ password: String, of hash: PasswordHash?) -> Bool {
        let known = hash ?? decoy
        guard let derived = derive(password, known.salt, known.cost, byteCount: known.hash.count) else { return false }
        return SecureBytes.areEqual(derived, known.hash) && hash != nil
    }

    /// Nobody's.
    private static let decoy = PasswordHash(
        cost: .current, salt: SecureBytes.random(saltByteCount), hash: SecureBytes.random(hashByteCount))

    private init(cost: Cost, salt: [UInt8], hash: [UInt8]) {
        (self.cost, self.salt, self.hash) = (cost, salt, hash)
    }

    /// The same letters count the same, however a keyboard composes them (RFC 8265, section 4.2).
    private static func derive(_ password: String, _ salt: [UInt8], _ cost: Cost, byteCount: Int) -> [UInt8]? {
        let password = Array(password.precomposedStringWithCanonicalMapping.utf8CString)
        var derived = [UInt8](repeating: 0, count: byteCount)
        let done = EVP_PBE_scrypt(
            password, password.count - 1, salt, salt.count, 1 << UInt64(cost.exponent), UInt64(cost.blockSize),
            UInt64(cost.parallelism), UInt64(Cost.byteLimit) * 2, &derived, byteCount)
        // The parameters are bounded: only memory can be short.
        return done == 1 ? derived : nil
    }

    private static func cost(_ text: Substring) -> Cost? {
        var values: [Substring: Int] = [:]
        for pair in text.split(separator: ",") {
            let parts = pair.split(separator: "=")
            guard parts.count == 2, let value = Int(parts[1]), values.updateValue(value, forKey: parts[0]) == nil else {
                return nil
            }
        }
        guard values.count == 3, let exponent = values["ln"], let blockSize = values["r"], let parallelism = values["p"]
        else { return nil }
        return Cost(exponent: exponent, blockSize: blockSize, parallelism: parallelism)
    }

    // The format's base64 has no padding.

    private static func text(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacing("=", with: "")
    }

    private static func bytes(_ text: Substring) -> [UInt8]? {
        Data(base64Encoded: text + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)).map(Array.init)
    }
}
