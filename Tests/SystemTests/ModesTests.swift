import Common
import Foundation
import TestSupport
import Testing

/// Clients that are not ours, and the client library, in each mode of an edge.
@Suite("Other clients of edges", .serialized, .timeLimit(.minutes(8)))
struct ModesTests {
    private static let columns = [
        Column("id", .text, required: true), Column("kind", .text), Column("longitude", .double),
        Column("latitude", .double), Column("n", .bigint),
    ]
    private static let readings = StreamDefinition(
        name: "readings", topics: [], mode: .append, key: ["id"], latest: true, columns: columns)

    private static let plain = ["plain: ws_incoming 7"]
    private static let others = [
        "log: ack ack ack 1 2 3", "resume: true 4 5", "latest: 50 at most 2 a second", "keyed: a b c 2", "filter: a a",
    ]

    @Test("Plain, log, latest, keyed, filtered, publishing, resuming elsewhere: in Python, in Node, in a browser")
    func modes() throws {
        let fleet = try Fleet(Self.readings, partitions: 2, ingests: true)
        fleet.others = [
            StreamDefinition(
                name: "things", topics: [try fleet.kafka.makeTopic(partitions: 2)], mode: .upsert, key: ["id"],
                columns: Self.columns)
        ]
        try fleet.launch(shards: 1)
        let edges = try ["one", "two"].map { name in
            let edge = try EdgeUnderTest(fleet, name: name, options: ["--open", "--origin", "*"])
            let web = try HTTPClient(edge.address)
            try fleet.wait("an edge that is ready", seconds: 60) { try web.get("/readyz").status == 200 }
            return edge
        }
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let clients = tests.appending(path: "Clients").path
        let library = tests.deletingLastPathComponent().appending(path: "Sources/WSEdge/Site/millrace.js").path
        let (first, second) = (edges[0].url, edges[1].url)
        for (name, command, lines) in [
            ("python3-websockets", "python3 \(clients)/modes.py", Self.plain + Self.others),
            ("ws of Node", "node \(clients)/modes-node.mjs ws \(library)", Self.plain + Self.others),
            ("millrace.js in Node", "node \(clients)/modes-node.mjs library \(library)", Self.others),
            ("a browser", "python3 \(clients)/modes-browser.py ws \(library)", Self.plain + Self.others),
            ("millrace.js in a browser", "python3 \(clients)/modes-browser.py library \(library)", Self.others),
        ] {
            let prefix = "p\(Int.random(in: 0..<1_000_000_000))-"
            let output = try shell("timeout 170 \(command) \(first) \(second) \(prefix) 2>&1 || true")
            #expect(output.split(separator: "\n").map(String.init) == lines, "\(name)")
        }
    }
}
