import Common
import Feed
import Foundation
import Postgres
import WebServer

/// What the query of `GET /v1/streams/S/rows` asks for.
struct RowsRequest {
    enum Format: String, CaseIterable {
        case json, ndjson, csv
    }

    private static let limit = 10_000

    let page: RowPage.Request
    let format: Format

    /// - Parameter mandatory: what may be seen at all.
    init(
        _ request: HTTPRequest, _ stream: StreamDefinition, within mandatory: RowFilter
    ) throws(RequestError) {
        let query = request.query
        let isLatest = query["latest"] == "true"
        guard !isLatest || stream.latest else { throw Self.wrong("\(stream.name) keeps no newest row of each key") }
        guard let limit = Int(query["limit"] ?? "100"), (1...Self.limit).contains(limit) else {
            throw Self.wrong("'limit' is 1 to \(Self.limit)")
        }
        guard let format = Format(rawValue: query["format"] ?? "json") else {
            throw Self.wrong("'format' is \(Format.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        let filter = try Self.filter(query).filter(stream).and(mandatory)
        var page = RowPage.Request(isLatest: isLatest, limit: limit, filter: filter)
        page.after = try Self.after(query["after"], isKeyed: stream.isKeyed || isLatest, stream)
        self.page = page
        self.format = format
    }

    static func filter(_ query: [String: String]) throws(RequestError) -> FilterRequest {
        var members: [String] = []
        if let conditions = query["where"] { members.append(#""where":\#(conditions)"#) }
        if let box = query["bbox"] { members.append(#""bbox":[\#(box)]"#) }
        let text = "{\(members.joined(separator: ","))}"
        guard let request = try? JSONDecoder().decode(FilterRequest.self, from: Data(text.utf8)) else {
            throw wrong("'where' is a JSON object of columns and values, 'bbox' is west,south,east,north")
        }
        return request
    }

    /// Where the page before ended: the `next` of its answer.
    private static func after(
        _ text: String?, isKeyed: Bool, _ stream: StreamDefinition
    ) throws(RequestError) -> RowPage.Place? {
        guard let text else { return nil }
        let data = Data(text.utf8)
        if isKeyed {
            let types = stream.keyIndices.map { stream.columns[$0].type }
            guard let key = try? JSONDecoder().decode([String].self, from: data), key.count == types.count,
                zip(key, types).allSatisfy({ Self.isValue($0, $1) })
            else { throw wrong("'after' is the 'next' of the page before: an array of the key's values") }
            return .key(key)
        }
        guard let position = try? JSONDecoder().decode([String: Int64].self, from: data),
            position.allSatisfy({ Int32($0.key) != nil && $0.value >= 0 })
        else { throw wrong("'after' is the 'next' of the page before, or a position") }
        // "1" and "01" are one source.
        let pairs = position.compactMap { name, next in Int32(name).map { (SourceID(rawValue: $0), next) } }
        return .position(Dictionary(pairs) { max($0, $1) })
    }

    private static func isValue(_ text: String, _ type: ColumnType) -> Bool {
        !text.utf8.contains(0) && Array(text.utf8).withUnsafeBytes { ColumnValue(stored: $0, type: type) != nil }
    }

    private static func wrong(_ message: String) -> RequestError { RequestError(code: "bad_request", message: message) }
}

extension RowsRequest.Format {
    func response(_ page: RowPage, _ stream: StreamDefinition) -> HTTPResponse {
        let next = page.next.map { String(decoding: ServerMessage.json($0), as: UTF8.self) }
        var headers = ["cache-control": "no-store"]
        guard self != .json else { return .json(200, ServerMessage.page(page), headers: headers) }
        headers["millrace-epoch"] = page.epoch
        headers["millrace-position"] = ServerMessage.text(page.position)
        headers["millrace-next"] = next
        switch self {
        case .json, .ndjson:
            let lines = page.rows.reduce(into: [UInt8]()) { $0 += $1 + [UInt8(ascii: "\n")] }
            return HTTPResponse(200, contentType: "application/x-ndjson", body: lines, headers: headers)
        case .csv:
            return HTTPResponse(
                200, contentType: "text/csv; charset=utf-8; header=present", body: CSVText(page.rows, stream).bytes,
                headers: headers)
        }
    }
}
