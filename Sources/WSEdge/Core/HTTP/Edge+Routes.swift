import Common
import Feed
import Foundation
import Postgres
import WebServer

/// What is asked of an edge over HTTP.
extension Edge {
    static let subprotocol = "millrace.v1.json"
    private static let pageLimit = 10_000

    static func routes(_ edge: Edge) -> Routes {
        var routes = Routes()
        let settings = edge.settings
        routes.origins = OriginRule(settings.origins)
        routes.webSocket("/ws", subprotocols: [subprotocol], isPlainAllowed: true, edge)
        routes.get("/livez") { $0.respond(.text(200, "alive\n")) }
        routes.get("/readyz") { [unowned edge] in $0.respond(edge.readiness) }
        routes.get("/v1/site") { $0.respond(.json(200, site(settings))) }
        routes.get("/v1/streams") { [unowned edge] in edge.listStreams($0) }
        routes.get("/v1/streams/*/rows") { [unowned edge] in edge.page($0) }
        routes.post("/v1/token", bodyLimit: settings.access.bodyByteCount) { [unowned edge] in edge.access.signIn($0) }
        routes.post("/v1/streams/*", bodyLimit: settings.limits.bodyByteCount) { [unowned edge] in edge.ingest($0) }
        routes.headers = [
            "content-security-policy": "default-src 'self'; img-src 'self' data: \(tileHost(settings) ?? "")",
            "x-content-type-options": "nosniff", "referrer-policy": "no-referrer",
        ]
        guard let site = settings.site else { return routes }
        for (path, folder) in EdgeSite.libraries.sorted(by: { $0.key < $1.key }) {
            routes.files(path, folder: folder, maxAgeSeconds: 3600)
        }
        routes.files("/", folder: site, maxAgeSeconds: 60)
        return routes
    }

    private static func tileHost(_ settings: EdgeSettings) -> String? {
        settings.tiles.flatMap { URL(string: $0.prefix { $0 != "{" }.description) }.flatMap { url in
            url.host.map { "\(url.scheme ?? "https")://\($0)" }
        }
    }

    private static func site(_ settings: EdgeSettings) -> [UInt8] {
        let tiles = settings.tiles.map(ServerMessage.quoted) ?? "null"
        let attribution = settings.tilesAttribution.map(ServerMessage.quoted) ?? "null"
        return Array(#"{"tiles":\#(tiles),"attribution":\#(attribution)}"#.utf8)
    }

    private var readiness: HTTPResponse {
        if drainDeadline != nil { return .text(503, "draining\n") }
        if streams.isEmpty { return .text(503, "no stream is followed yet\n") }
        return isHeard ? .text(200, "ready\n") : .text(503, "no worker is heard\n")
    }

    private struct StreamDescription: Encodable {
        struct Column: Encodable {
            let name: String
            let type: String
        }

        let name: String
        let mode: String
        let key: [String]
        let latest: Bool
        let columns: [Column]
    }

    /// Those that may be read.
    private func listStreams(_ exchange: HTTPExchange) {
        do throws(RequestError) {
            let found = try readable(exchange)
            exchange.respond(Self.streamList(found))
        } catch {
            exchange.respond(Self.refusal(error))
        }
    }

    private static func streamList(_ streams: [StreamDefinition]) -> HTTPResponse {
        let list = streams.sorted { $0.name < $1.name }.map { stream in
            StreamDescription(
                name: stream.name, mode: stream.mode.rawValue, key: stream.key, latest: stream.latest,
                columns: stream.columns.map { .init(name: $0.name, type: $0.type.rawValue) })
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return (try? encoder.encode(["streams": list])).map { .json(200, Array($0)) } ?? .text(500, "no answer\n")
    }

    static func refusal(_ status: UInt32, _ error: RequestError) -> HTTPResponse {
        let retry = error.retryAfter.map { #","retry_after_ms":\#($0)"# } ?? ""
        let body =
            #"{"error":{"code":"\#(error.code)","message":\#(ServerMessage.quoted(error.message))\#(retry)}}"#
        var headers = error.retryAfter.map { ["retry-after": String(($0 + 999) / 1000)] } ?? [:]
        // RFC 6750, section 3.
        if status == 401 { headers["www-authenticate"] = "Bearer" }
        return .json(status, Array(body.utf8), headers: headers)
    }

    // MARK: Rows

    private func page(_ exchange: HTTPExchange) {
        let name = exchange.request.parameters[0]
        do throws(RequestError) { _ = try authorize(exchange, .subscribe, name) } catch {
            return exchange.respond(Self.refusal(error))
        }
        guard let stored = stored[name] else {
            let error = unknownStream(name)
            return exchange.respond(Self.refusal(error.retryAfter == nil ? 404 : 503, error))
        }
        let query = exchange.request.query
        let isLatest = query["latest"] == "true"
        guard !isLatest || stored.stream.latest else {
            return exchange.respond(
                Self.refusal(400, .init(code: "bad_request", message: "\(name) keeps no newest row of each key")))
        }
        guard let limit = Int(query["limit"] ?? "100"), (1...Self.pageLimit).contains(limit) else {
            return exchange.respond(
                Self.refusal(400, .init(code: "bad_request", message: "'limit' is 1 to \(Self.pageLimit)")))
        }
        guard pages.count < limits.pages else {
            return exchange.respond(
                Self.refusal(503, .init(code: "overloaded", message: "too many ask for rows now", retryAfter: 1000)))
        }
        let number = nextPage
        nextPage += 1
        pages[number] = exchange
        let request = RowPage.Request(isLatest: isLatest, limit: limit)
        threads.ask { [inbox] readers in
            inbox.put(.page(number, Result { () throws(PostgresError) in try readers[stored].page(request) }))
        }
    }

    func answerPage(_ number: UInt64, _ result: Result<RowPage, PostgresError>) {
        guard let exchange = pages.removeValue(forKey: number) else { return }
        switch result {
        case .success(let page):
            exchange.respond(.json(200, ServerMessage.page(page), headers: ["cache-control": "no-store"]))
        case .failure(let error):
            Log.standard.say("rows can't be read: \(error)", .warning)
            let stream = exchange.request.parameters[0]
            exchange.respond(
                Self.refusal(
                    503,
                    error.isLasting
                        ? .unreadable(stream, error)
                        : .init(code: "unavailable", message: "rows can't be read now", retryAfter: 1000)))
        }
    }
}
