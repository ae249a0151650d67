import Common
import Foundation
import Testing
import WebServer

@testable import WSEdgeCore

@Suite("An edge's routes")
struct RouteDocumentTests {
    private struct Document: Decodable {
        struct Anything: Decodable {}

        let paths: [String: [String: Anything]]
    }

    @Test("docs/openapi.json has each, and no other")
    func documented() throws {
        var settings = EdgeSettings(listen: try #require(ListenAddress("127.0.0.1:0")), controls: ["ipc:///nowhere"])
        settings.site = nil
        let edge = Edge(
            settings, EdgeInbox(try ServerWaker()), ReaderThreads(0, name: "none"), ReaderThreads(0, name: "none"),
            EdgeCounters(), try #require(TurnTimer()))
        let checkout = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let document = try JSONDecoder().decode(
            Document.self, from: Data(contentsOf: checkout.appending(path: "docs/openapi.json")))
        let documented = document.paths.flatMap { path, methods in
            methods.keys.map { "\($0.uppercased()) \(path.replacing(#/\{[a-z]+\}/#, with: "*"))" }
        }
        #expect(documented.sorted() == Edge.routes(edge).addresses.sorted())
    }
}
