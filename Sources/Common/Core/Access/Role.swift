/// What users may do, by name. Beside those that there always are, any name is one that some stream lists.
package enum Role {
    /// Reads.
    package static let viewer = "viewer"
    /// Reads and publishes.
    package static let operatorRole = "operator"
    /// May everything.
    package static let admin = "admin"
    /// In a stream's list: anyone, also without a user. No user's role.
    package static let anyone = "public"

    package static let standard = [viewer, operatorRole, admin]
    private static let nameLimit = 64

    /// Why it can't be a role's name; nil when it can.
    package static func problem(of name: String) -> String? {
        let isFine = (1...nameLimit).contains(name.utf8.count) && name.utf8.allSatisfy(isNameByte)
        return isFine ? nil : "a role's name has 1 to \(nameLimit) of the characters a-z, A-Z, 0-9, '-', '_' and '.'"
    }

    package static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
        default: false
        }
    }
}
