import Common
import Foundation
import TestSupport
import Testing

@Suite("Edges", .serialized, .timeLimit(.minutes(5)))
struct EdgeTests {
    private static let events = StreamDefinition(
        name: "events", topics: [], mode: .append, columns: [Column("n", .bigint, required: true)])

    private func produce(_ numbers: Range<Int>, _ fleet: Fleet) throws {
        for partition in 0..<fleet.partitions {
            let own = numbers.filter { $0 % Int(fleet.partitions) == Int(partition) }
            try fleet.kafka.produce(own.map { #"{"n":\#($0)}"# }, to: fleet.topic, partition: partition)
        }
    }

    /// Each number once, and those of one partition in their order.
    private func expectExact(_ client: EdgeClient, _ numbers: Range<Int>, _ fleet: Fleet) throws {
        try fleet.wait("\(numbers.count) rows; \(client.rows.count) have come", seconds: 60) {
            client.rows.count >= numbers.count
        }
        let seen = client.rows.compactMap { Int($0.dropFirst(#"{"n":"#.count).dropLast()) }
        for partition in 0..<Int(fleet.partitions) {
            #expect(
                seen.filter { $0 % Int(fleet.partitions) == partition }.elementsEqual(
                    numbers.filter { $0 % Int(fleet.partitions) == partition }))
        }
        #expect(seen.count == numbers.count)
    }

    @Test("Rows reach clients as they are committed; a client that is moved from edge to edge sees each once")
    func resuming() throws {
        let fleet = try Fleet(Self.events, partitions: 3)
        try fleet.launch(shards: 2)
        let first = try EdgeUnderTest(fleet, name: "first")
        let second = try EdgeUnderTest(fleet, name: "second")
        let client = try EdgeClient("events", edges: [first.url, second.url], folder: fleet.folder + "/client")
        try fleet.wait("a subscription") { client.subscriptions.count == 1 }
        try produce(0..<600, fleet)
        try expectExact(client, 0..<600, fleet)
        // Both are known to the coordinator, and one of them has a client.
        try fleet.waitForStatus("two edges, one client") { report in
            report.edges.count == 2 && report.edges.reduce(0) { $0 + $1.clients } == 1
        }
        first.kill()
        try produce(600..<1200, fleet)
        try expectExact(client, 0..<1200, fleet)
        try client.setEdges([second.url])
        // One that drains says so: the client comes back to whoever is there.
        #expect(second.drain() == ExitCode.success.rawValue)
        try produce(1200..<1800, fleet)
        let third = try EdgeUnderTest(fleet, name: "third")
        try client.setEdges([third.url])
        try expectExact(client, 0..<1800, fleet)
        #expect(client.resets.isEmpty)
        #expect(client.subscriptions.dropFirst().allSatisfy { $0.hasSuffix("True") })
    }
}
