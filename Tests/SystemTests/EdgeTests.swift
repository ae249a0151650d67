import Common
import Foundation
import TestSupport
import Testing

@Suite("Edges", .serialized, .timeLimit(.minutes(5)))
struct EdgeTests {
    private static let events = StreamDefinition(
        name: "events", topics: [], mode: .append, columns: [Column("n", .bigint, required: true)])

    @Test("Rows reach clients as they are committed; a client that is moved from edge to edge sees each once")
    func resuming() throws {
        let fleet = try Fleet(Self.events, partitions: 3)
        try fleet.launch(shards: 2)
        let first = try EdgeUnderTest(fleet, name: "first")
        let second = try EdgeUnderTest(fleet, name: "second")
        // Or the client, refused for now, would begin at the second.
        let web = try HTTPClient(first.address)
        try fleet.wait("an edge that is ready", seconds: 60) { try web.get("/readyz").status == 200 }
        let client = try EdgeClient("events", edges: [first.url, second.url], folder: fleet.folder + "/client")
        try fleet.wait("a subscription") { client.subscriptions.count == 1 }
        try fleet.produce(0..<600)
        try fleet.expect(0..<600, at: client)
        let scrape = try PrometheusScrape(try web.get("/metrics").body)
        #expect(scrape.value("millrace_edge_clients") == 1)
        #expect(scrape.value("millrace_edge_subscriptions", ["stream": "events"]) == 1)
        #expect(scrape.value("millrace_edge_rows_total", ["stream": "events"]) == 600)
        #expect(scrape.value("millrace_edge_sent_bytes_total") ?? 0 > 600 * 7)
        // Both are known to the coordinator, and one of them has a client.
        try fleet.waitForStatus("two edges, one client") { report in
            report.edges.count == 2 && report.edges.reduce(0) { $0 + $1.clients } == 1
        }
        first.kill()
        try fleet.produce(600..<1200)
        try fleet.expect(0..<1200, at: client)
        try client.setEdges([second.url])
        // One that drains says so: the client comes back to whoever is there.
        #expect(second.drain() == ExitCode.success.rawValue)
        try fleet.produce(1200..<1800)
        let third = try EdgeUnderTest(fleet, name: "third")
        try client.setEdges([third.url])
        try fleet.expect(0..<1800, at: client)
        #expect(client.resets.isEmpty)
        #expect(client.subscriptions.dropFirst().allSatisfy { $0.hasSuffix("True") })
    }

    @Test("A rolling restart of edges under load loses and doubles nothing")
    func rollingRestart() throws {
        let fleet = try Fleet(Self.events, partitions: 3)
        try fleet.launch(shards: 2)
        var edges = try (0..<3).map { try EdgeUnderTest(fleet, name: "old \($0)") }
        let clients = try (0..<6).map { number in
            // Each begins elsewhere.
            let urls = edges.map(\.url)
            return try EdgeClient(
                "events", edges: Array(urls[(number % 3)...] + urls[..<(number % 3)]),
                folder: fleet.folder + "/client \(number)")
        }
        try fleet.wait("subscriptions") { clients.allSatisfy { $0.subscriptions.count == 1 } }
        var sent = 0
        func produceMore() throws {
            try fleet.produce(sent..<(sent + 300))
            sent += 300
        }
        try produceMore()
        for number in 0..<3 {
            let old = edges.removeFirst()
            for client in clients { try client.setEdges(edges.map(\.url)) }
            Foundation.kill(old.pid, SIGTERM)
            // Before, while and after it drains.
            for _ in 0..<4 { try produceMore() }
            #expect(old.drain() == ExitCode.success.rawValue)
            edges.append(try EdgeUnderTest(fleet, name: "new \(number)"))
            for client in clients { try client.setEdges(edges.map(\.url)) }
            try produceMore()
        }
        for client in clients {
            try fleet.expect(0..<sent, at: client)
            #expect(client.resets.isEmpty)
            #expect(client.subscriptions.dropFirst().allSatisfy { $0.hasSuffix("True") })
        }
        #expect(clients.contains { $0.subscriptions.count > 1 })
    }

    @Test("Many who come at once from the beginning get live while the stream flows, each with every row once")
    func crowd() throws {
        let fleet = try Fleet(Self.events, partitions: 4)
        try fleet.launch(shards: 2)
        try fleet.produce(0..<20_000)
        try fleet.waitForRecords(20_000)
        let edge = try EdgeUnderTest(fleet, name: "only")
        let client = try HTTPClient(edge.address)
        try fleet.wait("an edge that is ready", seconds: 60) { try client.get("/readyz").status == 200 }
        let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Clients/crowd.py").path
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/python3")
        process.arguments = [script, edge.url, "events", "40", "4", "23999"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        // In pieces, so that they come while the clients are behind.
        for begin in stride(from: 20_000, to: 24_000, by: 200) { try fleet.produce(begin..<(begin + 200)) }
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        #expect(text == "clients 40, rows \(40 * 24_000)\n")
    }

    @Test("Pausing the only append stream leaves its edge ready, also one that begins meanwhile")
    func paused() throws {
        let fleet = try Fleet(Self.events, partitions: 2)
        try fleet.launch(shards: 1)
        let edge = try EdgeUnderTest(fleet, name: "one")
        let web = try HTTPClient(edge.address)
        try fleet.wait("an edge that is ready", seconds: 60) { try web.get("/readyz").status == 200 }
        try fleet.done("pause", "events")
        try fleet.waitForStatus("a pause") { $0.sources.allSatisfy { $0.state == "paused" } }
        // Longer than an edge waits for workers.
        let silence = Date.now + 12
        try fleet.wait("workers that are silent for long") {
            let status = try web.get("/readyz").status
            #expect(status == 200)
            return Date.now > silence
        }
        let late = try EdgeUnderTest(fleet, name: "late")
        let lateWeb = try HTTPClient(late.address)
        try fleet.wait("the late edge to be ready", seconds: 60) { try lateWeb.get("/readyz").status == 200 }
        try fleet.done("resume", "events")
        try fleet.waitForStatus("all running") { $0.sources.allSatisfy { $0.state == "running" } }
        #expect(try web.get("/readyz").status == 200)
    }

    @Test("While Postgres hangs, live feeds, health and the way out of an edge go on; what needs it waits")
    func hangingPostgres() throws {
        let fleet = try Fleet(Self.events, partitions: 2)
        try fleet.launch(shards: 1)
        let edge = try EdgeUnderTest(fleet, name: "only", environment: ["PGAPPNAME": "edge"])
        let client = try EdgeClient("events", edges: [edge.url], folder: fleet.folder + "/client")
        try fleet.wait("a subscription") { client.subscriptions.count == 1 }
        try fleet.produce(0..<100)
        try fleet.expect(0..<100, at: client)
        // Also those that read for subscribers have a connection now.
        let web = try HTTPClient(edge.address)
        #expect(try web.get("/v1/streams/events/rows?limit=1").status == 200)
        let backends = try fleet.rows("SELECT pid FROM pg_stat_activity WHERE application_name = 'edge'").map {
            Int32($0)!
        }
        #expect(!backends.isEmpty)
        for pid in backends { kill(pid, SIGSTOP) }
        defer { for pid in backends { kill(pid, SIGCONT) } }
        // Longer than silent sources are trusted: the edge has asked meanwhile, and got no answer.
        let silence = Date.now + 4
        try fleet.wait("the edge to ask") { Date.now > silence }
        try fleet.produce(100..<300)
        try fleet.expect(0..<300, at: client)
        #expect(try web.get("/readyz").status == 200 && web.get("/livez").status == 200)
        #expect(edge.drain() == ExitCode.success.rawValue)
    }
}
