import Common
import Foundation

/// What a client asks for: the protocol `millrace.v1.json`. What isn't known is ignored.
struct ClientRequest: Decodable {
    struct Start: Decodable {
        var epoch: String
        /// Next offset by source.
        var position: [String: Int64]
    }

    var type: String
    var stream: String?
    var mode: String?
    var from: Start?
    var sub: Int?
    /// Of a record that is published.
    var key: String?
    var snapshot: Bool?
    /// Of a `connect`.
    var token: String?
    /// Of a log: so many of its newest rows first.
    var last: Int?
    /// Messages a second of a subscription to the newest rows.
    var rate: Int?
    /// Nil where the request says nothing of it.
    var filter: FilterRequest?

    private enum CodingKeys: String, CodingKey {
        case type, stream, mode, from, sub, key, snapshot, last, bbox, token
        case conditions = "where"
        case rate = "max_hz"
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        type = try values.decode(String.self, forKey: .type)
        stream = try values.decodeIfPresent(String.self, forKey: .stream)
        mode = try values.decodeIfPresent(String.self, forKey: .mode)
        from = try values.decodeIfPresent(Start.self, forKey: .from)
        sub = try values.decodeIfPresent(Int.self, forKey: .sub)
        key = try values.decodeIfPresent(String.self, forKey: .key)
        snapshot = try values.decodeIfPresent(Bool.self, forKey: .snapshot)
        token = try values.decodeIfPresent(String.self, forKey: .token)
        last = try values.decodeIfPresent(Int.self, forKey: .last)
        rate = try values.decodeIfPresent(Int.self, forKey: .rate)
        if values.contains(.conditions) || values.contains(.bbox) { filter = try FilterRequest(from: decoder) }
    }

    /// - Parameter id: where it is known, also when the rest of the request is wrong.
    static func parse(_ text: [UInt8], _ id: inout RequestID?) throws(RequestError) -> (ClientRequest, RequestID) {
        let data = Data(text)
        let request = try? JSONDecoder().decode(ClientRequest.self, from: data)
        if request != nil || (try? JSONSerialization.jsonObject(with: data)) != nil {
            id = RequestID(of: JSONText(text))
        }
        guard let request, let id else {
            throw RequestError(
                code: "bad_request",
                message:
                    "a request is a JSON object with a text 'type', a number or text as 'id', and fields of their types"
            )
        }
        return (request, id)
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
