private import Foundation

/// The keys of a JSON Web Key set that can check tokens (RFC 7517, section 5: what isn't understood is passed over).
enum PublicKeys {
    private static let limit = 64

    /// Nil for what is no such set.
    static func read(_ data: [UInt8]) -> [TokenKey]? {
        guard let set = try? JSONSerialization.jsonObject(with: Data(data)) as? [String: Any],
            let members = set["keys"] as? [Any]
        else { return nil }
        return members.prefix(limit).compactMap { ($0 as? [String: Any]).flatMap { TokenKey(public: $0) } }
    }
}
