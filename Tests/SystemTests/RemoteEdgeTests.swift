import Common
import Foundation
import TestSupport
import Testing

@Suite("Edges on other hosts", .serialized, .timeLimit(.minutes(5)))
struct RemoteEdgeTests {
    private static let events = StreamDefinition(
        name: "events", topics: [], mode: .append,
        columns: [Column("n", .bigint, required: true), Column("p", .integer, required: true)])

    /// An edge on a host of its own, once it hears the workers.
    private func makeEdge(_ name: String, on host: NetworkNamespace, control: String, _ fleet: Fleet) throws
        -> EdgeUnderTest
    {
        let key = "\(fleet.folder)/\(name).keys"
        try fleet.done("keys", "add", name).write(toFile: key, atomically: false, encoding: .utf8)
        let edge = try EdgeUnderTest(
            fleet, name: name, listen: "\(host.there):0", control: control, key: key, prefix: host.prefix)
        try fleet.wait("the edge \(name) to hear a worker", seconds: 60) {
            try HTTPClient(edge.address).get("/readyz").status == 200
        }
        return edge
    }

    @Test("Three edges on three hosts: one dies, one comes, one drains under load, and each client sees each row once")
    func hosts() throws {
        let fleet = try Fleet(Self.events, partitions: 6)
        let hosts = try (0..<4).map { _ in try NetworkNamespace() }
        fleet.controlAddress = "tcp://\(hosts[0].here):*"
        fleet.advertisedHost = hosts[0].here
        try fleet.done("start", "--shards", "2", "--detach")
        defer { _ = try? fleet.command("stop") }
        let remote = try fleet.waitForStatus("an address") { $0.remoteControl != nil }.remoteControl
        let control = try #require(remote).endpoint
        var edges = try (0..<3).map { try makeEdge("edge-\($0)", on: hosts[$0], control: control, fleet) }
        let urls = edges.map(\.url)
        let clients = try (0..<3).map { number in
            // Each begins with an edge of its own, and goes to the next one from there.
            try EdgeClient(
                "events", edges: Array((urls + urls)[number..<(number + 3)]),
                folder: "\(fleet.folder)/client-\(number)")
        }
        for client in clients { try fleet.wait("a subscription") { client.subscriptions.count == 1 } }

        let load = LoadGenerator(fleet.kafka, topic: fleet.topic, partitions: fleet.partitions, rate: 100)
        func waitForMore() throws {
            let seen = clients.map(\.rows.count)
            for (client, seen) in zip(clients, seen) {
                try fleet.wait("1,200 more rows; \(client.rows.count - seen) came") { client.rows.count >= seen + 1200 }
            }
        }
        try waitForMore()
        edges.removeFirst().kill()
        try waitForMore()
        let fourth = try makeEdge("edge-3", on: hosts[3], control: control, fleet)
        edges.append(fourth)
        for client in clients { try client.setEdges([fourth.url]) }
        #expect(edges.removeFirst().drain() == ExitCode.success.rawValue)
        try fleet.done("scale", "--shards", "3")
        try waitForMore()
        let perPartition = try load.stop()
        let total = perPartition * Int(fleet.partitions)
        for (number, client) in clients.enumerated() {
            try fleet.wait("\(total) rows; \(client.rows.count) came to client \(number)") {
                client.rows.count >= total
            }
            let wanted = (0..<perPartition).flatMap { n in
                (0..<fleet.partitions).map { p in #"{"n":\#(n),"p":\#(p)}"# }
            }
            #expect(client.rows.sorted() == wanted.sorted())
            #expect(client.resets.isEmpty)
        }
        print(
            "\(total) rows to each of \(clients.count) clients in \(clients.map(\.subscriptions.count)) subscriptions")
        #expect(clients[0].subscriptions.count >= 2)
        try fleet.expectExact(perPartition: perPartition)
        // Gone is the one that was killed; the one that drained said good-bye.
        try fleet.waitForStatus("two edges") { $0.edges.count == 2 }
    }
}
