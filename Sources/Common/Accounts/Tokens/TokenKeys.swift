package import Common
private import Foundation

/// A fleet's own keys for tokens: a JSON Web Key set (RFC 7517, section 5), the same for all its edges. The last one signs;
/// those before it still check, until nothing that they signed is valid any more.
package struct TokenKeys: Sendable, Equatable {
    /// The environment variable that holds them, or with `_FILE` behind it says where they are.
    package static let variable = "MILLRACE_TOKEN_KEYS"

    /// As many as a rotation needs.
    private static let limit = 8

    package let all: [TokenKey]

    /// - Parameter all: not empty.
    private init(_ all: [TokenKey]) {
        self.all = all
    }

    /// One new key.
    package static func make() -> TokenKeys { TokenKeys([.make()]) }

    /// - Throws: a sentence without anything of the text.
    package init(text: String) throws(StartError) {
        guard let set = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any],
            let members = set["keys"] as? [[String: Any]]
        else { throw StartError("it is no set of keys for tokens: {\"keys\":[…]}", .configuration) }
        let all = members.compactMap { TokenKey(own: $0) }
        guard all.count == members.count, (1...Self.limit).contains(all.count),
            Set(all.map(\.id)).count == all.count
        else {
            throw StartError(
                "it needs 1 to \(Self.limit) keys, each with kty oct, alg HS256, a kid of its own and a k of 32 bytes or more",
                .configuration)
        }
        self.all = all
    }

    var signing: TokenKey { all[all.count - 1] }

    /// A new key that signs from now on. The oldest go.
    /// - Parameter kept: how many of those that there are still check.
    package func rotated(keeping kept: Int = 2) -> TokenKeys {
        TokenKeys(all.suffix(min(kept, Self.limit - 1)) + [.make()])
    }

    package var text: String { #"{"keys":[\#(all.map(\.json).joined(separator: ","))]}"# }
}
