import Common
import Feed
import Foundation
import Postgres
import WebServer

/// What is asked of an edge over HTTP.
extension Edge {
    static let subprotocol = "millrace.v1.json"

    static func routes(_ edge: Edge) -> Routes {
        var routes = Routes()
        let settings = edge.settings
        routes.origins = OriginRule(settings.origins)
        routes.webSocket("/ws", subprotocols: [subprotocol], isPlainAllowed: true, edge)
        routes.get("/livez") { $0.respond(.text(200, "alive\n")) }
        routes.get("/readyz") { [unowned edge] in $0.respond(edge.readiness) }
        routes.get("/metrics") { [unowned edge] in
            let text = PrometheusText(edge.snapshot, EdgeMetrics.all).text
            $0.respond(HTTPResponse(200, contentType: PrometheusText.contentType, body: Array(text.utf8)))
        }
        routes.get("/v1/site") { $0.respond(.json(200, site(settings))) }
        for name in EdgeSite.documents { routes.get("/v1/\(name)") { $0.respond(document(name)) } }
        routes.get("/v1/streams") { [unowned edge] in edge.listStreams($0) }
        routes.events("/v1/streams/*/events") { [unowned edge] in edge.openEvents($0) }
        routes.get("/v1/streams/*/rows") { [unowned edge] in edge.sendRows($0) }
        routes.get("/v1/streams/*/log") { [unowned edge] in edge.sendLogIndex($0) }
        routes.get("/v1/streams/*/log/*/*/*") { [unowned edge] in edge.sendSegment($0) }
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

    /// Read when it is asked for, which is seldom.
    private static func document(_ name: String) -> HTTPResponse {
        guard let folder = EdgeSite.folder, let text = FileManager.default.contents(atPath: "\(folder)/\(name)") else {
            return .text(404, "the documents are not beside the program\n")
        }
        return .json(200, Array(text), headers: ["cache-control": "max-age=3600"])
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
}
