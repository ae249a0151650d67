/// What is where on a server: answers, WebSockets, files. Made before the server, used on its thread.
package struct Routes {
    package typealias Answer = (HTTPExchange) -> Void

    struct Route {
        /// `*` stands for any one piece.
        let pieces: [Substring]
        var answers: [HTTPRequest.Method: Answer] = [:]
        var bodyLimit = 0
        /// Pages of other hosts may ask only where their browsers are let in, and read the answer then.
        var isForOrigins = false
    }

    struct WebSocketRoute {
        let path: String
        let subprotocols: [String]
        /// A client may also speak no subprotocol.
        let isPlainAllowed: Bool
        let handler: any ConnectionHandler

        /// Says which subprotocols a client may ask for.
        var subprotocolChoice: String {
            let known = subprotocols.map { "'\($0)'" } + (isPlainAllowed ? ["none"] : [])
            return "the subprotocol " + known.joined(separator: " or ")
        }
    }

    /// Files of a folder.
    struct Mount {
        let path: String
        let folder: String
        let maxAgeSeconds: Int32
    }

    private(set) var routes: [Route] = []
    private(set) var webSockets: [WebSocketRoute] = []
    private(set) var mounts: [Mount] = []
    /// Header fields of every answer, files included: names in lower case.
    package var headers: [String: String] = [:]
    /// Who may open WebSockets from a browser.
    package var origins = OriginRule()
    /// What is answered where nothing is.
    package var notFound = "there is nothing here\n"

    package init() {}

    /// - Parameter pattern: `/v1/streams/*/rows`.
    package mutating func get(_ pattern: String, _ answer: @escaping Answer) {
        add(.get, pattern, answer)
    }

    /// What may go on as a stream of events (`HTTPExchange.openEvents`), for pages too that the rule of origins lets in.
    package mutating func events(_ pattern: String, _ answer: @escaping Answer) {
        routes[add(.get, pattern, answer)].isForOrigins = true
    }

    /// - Parameter bodyLimit: in bytes.
    package mutating func post(_ pattern: String, bodyLimit: Int, _ answer: @escaping Answer) {
        routes[add(.post, pattern, answer)].bodyLimit = bodyLimit
    }

    package mutating func webSocket(
        _ path: String, subprotocols: [String], isPlainAllowed: Bool = false, _ handler: any ConnectionHandler
    ) {
        webSockets.append(
            .init(path: path, subprotocols: subprotocols, isPlainAllowed: isPlainAllowed, handler: handler))
    }

    /// - Parameter maxAgeSeconds: for how long a client uses its copy without asking.
    package mutating func files(_ path: String, folder: String, maxAgeSeconds: Int32) {
        mounts.append(.init(path: path, folder: folder, maxAgeSeconds: maxAgeSeconds))
    }

    /// What is answered, files not included: methods and patterns.
    package var addresses: [String] {
        webSockets.map { "GET \($0.path)" }
            + routes.flatMap { route in
                route.answers.keys.map { "\($0.rawValue) /\(route.pieces.joined(separator: "/"))" }
            }
    }

    @discardableResult
    private mutating func add(_ method: HTTPRequest.Method, _ pattern: String, _ answer: @escaping Answer) -> Int {
        let pieces = Self.pieces(pattern)
        let index = routes.firstIndex { $0.pieces == pieces } ?? routes.count
        if index == routes.count { routes.append(Route(pieces: pieces)) }
        routes[index].answers[method] = answer
        return index
    }

    private static func pieces(_ path: String) -> [Substring] {
        path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map { $0 }
    }

    enum Match {
        case found(HTTPExchange)
        case refused(HTTPResponse)
    }

    /// HEAD is answered like GET, without the body.
    func match(_ request: HTTPRequest) -> Match {
        if let webSocket = webSockets.first(where: { $0.path == request.path }) {
            return .refused(upgradeRequired(webSocket))
        }
        let pieces = Self.pieces(request.path)
        for route in routes {
            guard let parameters = Self.parameters(route.pieces, pieces) else { continue }
            let method = request.method == .head ? .get : request.method
            guard let answer = route.answers[method] else {
                let methods = route.answers.keys.flatMap { $0 == .get ? ["GET", "HEAD"] : [$0.rawValue] }.sorted()
                let allowed = methods.joined(separator: ", ")
                return .refused(.text(405, "only \(allowed)\n", headers: ["allow": allowed]))
            }
            // A page elsewhere may send to where its browser is let in, without being asked first.
            guard method == .get && !route.isForOrigins || origins.allows(request.origin, host: request.host) else {
                return .refused(
                    .text(403, "pages of \(request.origin?.prefix(200) ?? "") may not ask this server\n"))
            }
            var request = request
            request.parameters = parameters
            if route.isForOrigins { request.allowedOrigin = request.origin }
            return .found(HTTPExchange(request, bodyLimit: method == .get ? 0 : route.bodyLimit, answer))
        }
        return .refused(.text(404, notFound))
    }

    /// Nil where it does not match.
    private static func parameters(_ pattern: [Substring], _ path: [Substring]) -> [String]? {
        guard pattern.count == path.count else { return nil }
        var parameters: [String] = []
        for (wanted, given) in zip(pattern, path) {
            if wanted == "*" {
                guard !given.isEmpty else { return nil }
                parameters.append(String(given))
            } else if wanted != given {
                return nil
            }
        }
        return parameters
    }

    /// RFC 9110, section 15.5.22.
    private func upgradeRequired(_ route: WebSocketRoute) -> HTTPResponse {
        .text(
            426,
            """
            this is a WebSocket: connect to it with ws:// or wss://. A proxy between has to pass on the header fields
            Upgrade and Connection, and speak HTTP/1.1 to this server.

            """, headers: ["upgrade": "websocket", "connection": "Upgrade"])
    }

    /// The route and the subprotocol of a WebSocket, or why there is none.
    func upgrade(_ request: HTTPRequest) -> Result<(WebSocketRoute, String?), UpgradeRefusal> {
        guard let route = webSockets.first(where: { $0.path == request.path }) else {
            let known = webSockets.map { "\($0.path) with \($0.subprotocolChoice)" }.joined(separator: "; ")
            return .failure(.init(.text(404, "there is no WebSocket here; there is one at: \(known)\n")))
        }
        guard origins.allows(request.origin, host: request.host) else {
            return .failure(
                .init(.text(403, "pages of \(request.origin?.prefix(200) ?? "") may not connect to this server\n")))
        }
        let chosen = request.subprotocols.first(where: route.subprotocols.contains)
        guard chosen != nil || request.subprotocols.isEmpty && route.isPlainAllowed else {
            return .failure(.init(.text(400, "ask for \(route.subprotocolChoice)\n")))
        }
        if let refusal = route.handler.refusal(of: request) { return .failure(.init(refusal)) }
        return .success((route, chosen))
    }

    struct UpgradeRefusal: Error {
        let response: HTTPResponse

        init(_ response: HTTPResponse) {
            self.response = response
        }
    }
}
