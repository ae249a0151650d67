import Foundation

/// What one coordinator of a group asks of another, through the database: what a person may ask of that host's own.
package enum MemberRequest: Codable, Sendable, Equatable {
    case scale(shards: Int32)
    /// Rolling: one shard after another.
    case restart(rolling: Bool)

    /// Of those that one coordinator has not taken yet; further ones are refused.
    package static let waitingLimit = 20

    private struct Read: Decodable {
        var request: MemberRequest?

        init(from decoder: any Decoder) { request = try? MemberRequest(from: decoder) }
    }

    /// - Parameter text: a JSON array of requests.
    /// - Returns: nil in the place of one that this version does not know.
    package static func decode(_ text: String) -> [MemberRequest?] {
        guard let read = try? JSONDecoder().decode([Read].self, from: Data(text.utf8)) else { return [nil] }
        return read.map(\.request)
    }
}
