/// What somebody asks for, or wants to upgrade.
package struct HTTPRequest: Sendable {
    package enum Method: String, Sendable {
        case get = "GET"
        case head = "HEAD"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
        case options = "OPTIONS"
        /// Any other.
        case other = ""
    }

    package var method: Method
    /// The path without its query, percent-decoded: `/v1/streams/stocks/rows`.
    package var path: String
    /// The query's values by name, percent-decoded; the last one of a name counts.
    package var query: [String: String] = [:]
    /// What stands for the pattern's `*`, in their order.
    package var parameters: [String] = []
    /// The address of the connection's other side, without its port.
    package var address = ""
    /// Header fields; nil where there are none.
    package var host: String?
    /// The page's that may read the answer (https://fetch.spec.whatwg.org/#http-cors-protocol).
    package internal(set) var allowedOrigin: String?
    package var origin: String?
    package var authorization: String?
    package var contentType: String?
    package var ifNoneMatch: String?
    /// Of a stream of events that was lost: what the client has.
    package var lastEventID: String?
    /// The subprotocols that a WebSocket client would speak, in its order.
    package var subprotocols: [String] = []
    package var body: [UInt8] = []

    package init(method: Method, path: String) {
        self.method = method
        self.path = path
    }
}
