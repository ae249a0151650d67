/// What a request is answered.
package struct HTTPResponse: Sendable, Equatable {
    package var status: UInt32
    package var contentType: String
    /// Header fields beside those of the content, the connection and the server; names in lower case.
    package var headers: [String: String] = [:]
    package var body: [UInt8]

    package init(_ status: UInt32, contentType: String, body: [UInt8], headers: [String: String] = [:]) {
        self.status = status
        self.contentType = contentType
        self.body = body
        self.headers = headers
    }

    package static func text(_ status: UInt32, _ text: String, headers: [String: String] = [:]) -> HTTPResponse {
        HTTPResponse(status, contentType: "text/plain; charset=utf-8", body: Array(text.utf8), headers: headers)
    }

    static let tooManyConnections = text(
        503, "too many are connected to this server\n", headers: ["retry-after": "5"])

    /// The body, for people.
    package var text: String { String(decoding: body, as: UTF8.self) }

    package static func json(_ status: UInt32, _ body: [UInt8], headers: [String: String] = [:]) -> HTTPResponse {
        HTTPResponse(status, contentType: "application/json", body: body, headers: headers)
    }
}
