import Common
import Foundation

/// What a client asks for: the protocol `millrace.v1.json`. What isn't known is ignored, but for what would change
/// which rows come: that is refused rather than ignored.
struct ClientRequest: Decodable {
    struct Start: Decodable {
        var epoch: String
        /// Next offset by source.
        var position: [String: Int64]
    }

    var type: String
    var id: RequestID
    var stream: String?
    var mode: String?
    var from: Start?
    var sub: Int?
    /// Of a record that is published.
    var key: String?
    var snapshot: Bool?
    /// Names of filters that the request has.
    var filters: [String] = []

    private enum CodingKeys: String, CodingKey {
        case type, id, stream, mode, from, sub, key, snapshot, bbox, last
        case whereClause = "where"
        case rate = "max_hz"
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        type = try values.decode(String.self, forKey: .type)
        id = try values.decode(RequestID.self, forKey: .id)
        stream = try values.decodeIfPresent(String.self, forKey: .stream)
        mode = try values.decodeIfPresent(String.self, forKey: .mode)
        from = try values.decodeIfPresent(Start.self, forKey: .from)
        sub = try values.decodeIfPresent(Int.self, forKey: .sub)
        key = try values.decodeIfPresent(String.self, forKey: .key)
        snapshot = try values.decodeIfPresent(Bool.self, forKey: .snapshot)
        filters = [CodingKeys.whereClause, .bbox, .rate, .last].filter(values.contains).map(\.rawValue)
    }

    static func parse(_ text: [UInt8]) throws(RequestError) -> ClientRequest {
        do {
            return try JSONDecoder().decode(ClientRequest.self, from: Data(text))
        } catch {
            throw RequestError(
                code: "bad_request",
                message: "a request is a JSON object with a text 'type' and a number or text as 'id'")
        }
    }

    /// Where to go on, and which epoch that is of.
    func start() throws(RequestError) -> (epoch: String, position: [SourceID: Int64])? {
        guard let from else { return nil }
        var position: [SourceID: Int64] = [:]
        for (source, next) in from.position {
            guard let id = Int32(source), next >= 0 else {
                throw RequestError(
                    code: "bad_request", message: "'from.position' maps a source's number to its next offset")
            }
            position[SourceID(rawValue: id)] = next
        }
        return (from.epoch, position)
    }
}
