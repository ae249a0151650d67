private import Common

/// What users, roles and passwords may be.
package enum AccountRules {
    package static let passwordMinimum = 12
    /// Bytes. Longer ones are no safer, and their check would cost more.
    package static let passwordByteLimit = 1024
    private static let nameLimit = 64

    /// Why it can't be a password; nil when it can.
    package static func problem(ofPassword password: String) -> String? {
        guard password.count >= passwordMinimum else { return "a password has at least \(passwordMinimum) characters" }
        guard password.utf8.count <= passwordByteLimit, !password.utf8.contains(0) else {
            return "a password has at most \(passwordByteLimit) bytes, and no NUL"
        }
        return nil
    }

    /// Why it can't be a user's name; nil when it can.
    package static func problem(ofUser name: String) -> String? {
        let isFine =
            (1...nameLimit).contains(name.utf8.count)
            && name.utf8.allSatisfy { Role.isNameByte($0) || $0 == UInt8(ascii: "@") || $0 == UInt8(ascii: "+") }
        return isFine
            ? nil : "a user's name has 1 to \(nameLimit) of the characters a-z, A-Z, 0-9, '-', '_', '.', '@' and '+'"
    }
}
