package import Foundation

/// A frame that this program can't read, and what can be said of it.
package enum ForeignMessage: Error, Equatable, CustomStringConvertible {
    /// Nothing of Millrace's.
    case noise
    /// Of another version of the control protocol.
    case version(Int)
    /// Of this version, but this program doesn't know a message of that name, or not in that form.
    case name(String)

    package static let ownVersion = 1
    private static let nameLimit = 40

    private struct Head: Decodable {
        var version: Int
        var message: Named
    }

    private struct Named: Decodable {
        var name: String?

        init(from decoder: any Decoder) throws {
            name = try decoder.container(keyedBy: Key.self).allKeys.first?.stringValue
        }
    }

    private struct Key: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }

        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    package init(_ frame: Data) {
        guard let head = try? JSONDecoder().decode(Head.self, from: frame) else {
            self = .noise
            return
        }
        self =
            head.version == Self.ownVersion
            ? head.message.name.map { .name(String($0.prefix(Self.nameLimit))) } ?? .noise : .version(head.version)
    }

    package var description: String {
        switch self {
        case .noise: "a message that is not Millrace's"
        case .version(let version):
            "a message in version \(version) of the control protocol, and this program speaks \(Self.ownVersion)"
        case .name(let name): "a message '\(name)' that this program does not know, or not in that form"
        }
    }
}
