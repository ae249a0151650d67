import Foundation
import WebServer

/// The query of `GET /v1/streams/S/events` as the request of a WebSocket's client that says the same.
extension ClientRequest {
    init(events request: HTTPRequest) throws(RequestError) {
        let query = request.query
        type = "subscribe"
        stream = request.parameters[0]
        mode = query["mode"]
        last = try Self.number("last", query)
        rate = try Self.number("max_hz", query)
        switch query["snapshot"] {
        case nil, "false": snapshot = false
        case "true": snapshot = true
        default: throw Self.wrong("'snapshot' is true or false")
        }
        if query["where"] != nil || query["bbox"] != nil { filter = try RowsRequest.filter(query) }
        // A browser repeats the address it was given first: what it has had since is newer.
        if let id = request.lastEventID {
            from = try Self.start(id)
        } else if let text = query["from"] {
            from = try text.hasPrefix("{") ? Self.start(json: text) : Self.start(text)
        }
    }

    private static func number(_ name: String, _ query: [String: String]) throws(RequestError) -> Int? {
        guard let text = query[name] else { return nil }
        guard let number = Int(text) else { throw wrong("'\(name)' is a number") }
        return number
    }

    private static func start(_ text: String) throws(RequestError) -> Start {
        guard let id = EventID(text) else {
            throw wrong("'Last-Event-ID', or 'from', is no id of an event of these streams")
        }
        let position = id.position.map { (String($0.key.rawValue), $0.value) }
        return Start(epoch: id.epoch, position: Dictionary(position) { $1 })
    }

    private static func start(json text: String) throws(RequestError) -> Start {
        guard let start = try? JSONDecoder().decode(Start.self, from: Data(text.utf8)) else {
            throw wrong(#"'from' is an event's id, or {"epoch":"…","position":{…}}"#)
        }
        return start
    }

    private static func wrong(_ message: String) -> RequestError { RequestError(code: "bad_request", message: message) }
}
