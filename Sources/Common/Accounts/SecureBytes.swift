internal import CCrypto

/// Bytes that nobody can guess, and comparisons that tell nothing by the time they take.
package enum SecureBytes {
    package static func random(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        // OpenSSL 3 fails here only where the kernel gives no entropy: going on would be worse than an end.
        precondition(RAND_bytes(&bytes, Int32(count)) == 1, "there are no random bytes")
        return bytes
    }

    /// Whether they are the same; the lengths are no secret.
    package static func areEqual(_ first: [UInt8], _ second: [UInt8]) -> Bool {
        first.count == second.count && CRYPTO_memcmp(first, second, first.count) == 0
    }
}
