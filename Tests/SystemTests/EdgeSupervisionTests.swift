import Common
import Foundation
import TestSupport
import Testing

@Suite("Edges of a coordinator's own", .serialized, .timeLimit(.minutes(5)))
struct EdgeSupervisionTests {
    private static let events = StreamDefinition(
        name: "events", topics: [], mode: .append, columns: [Column("n", .bigint, required: true)])

    @Test("They start again where they were, drain when the fleet stops, and end with it; others are left alone")
    func life() throws {
        let fleet = try Fleet(Self.events, partitions: 2)
        try fleet.done("start", "--shards", "1", "--edges", "2", "--edge-port", "0", "--detach")
        defer { _ = try? fleet.command("stop") }
        let byHand = try EdgeUnderTest(fleet, name: "by-hand")
        func own(_ report: StatusReport) -> [StatusReport.Edge] { report.edges.filter { $0.state != nil } }
        let before = try fleet.waitForStatus("three edges") { report in
            report.healthy && own(report).count == 2 && report.edges.count == 3
                && report.edges.allSatisfy { !$0.id.isEmpty }
        }
        let elsewhere = try #require(before.edges.first { $0.state == nil })
        #expect(elsewhere.address == byHand.address && elsewhere.restarts == nil)
        let victim = own(before)[0]
        kill(try #require(victim.pid), SIGKILL)
        let after = try fleet.waitForStatus("another life of it") { report in
            own(report).contains { $0.address == victim.address && $0.restarts == 1 && !$0.id.isEmpty }
        }
        #expect(Set(own(after).map(\.address)) == Set(own(before).map(\.address)))
        #expect(after.notices.contains { $0.text.hasPrefix("edge \(victim.address) ended with signal 9") })
        #expect(try fleet.command("status").text.contains("running"))

        // A client of one is told before it goes.
        let client = try EdgeClient("events", edges: ["ws://\(victim.address)/ws"], folder: fleet.folder + "/client")
        try fleet.wait("a subscription") { client.subscriptions.count == 1 }
        try fleet.done("stop")
        for edge in own(after) {
            let pid = try #require(edge.pid)
            try fleet.wait("the end of edge \(pid)", seconds: 5) { kill(pid, 0) != 0 }
        }
        #expect(byHand.drain() == ExitCode.success.rawValue)
    }

    @Test("They end when the coordinator is killed, and the next one has their ports")
    func orphans() throws {
        let fleet = try Fleet(Self.events, partitions: 2)
        try fleet.done("start", "--shards", "1", "--edges", "1", "--edge-port", "0", "--detach")
        let first = try fleet.waitForStatus("an edge") { $0.edges.count == 1 && !$0.edges[0].id.isEmpty }
        let port = try #require(ListenAddress(first.edges[0].address)).port
        kill(first.pid, SIGKILL)
        try fleet.done("start", "--shards", "1", "--edges", "1", "--edge-port", String(port), "--detach")
        defer { _ = try? fleet.command("stop") }
        let second = try fleet.waitForStatus("an edge") { $0.edges.count == 1 && !$0.edges[0].id.isEmpty }
        #expect(second.edges[0].address == first.edges[0].address && second.pid != first.pid)
        let pid = try #require(first.edges[0].pid)
        try fleet.wait("the end of the former edge", seconds: 12) { kill(pid, 0) != 0 }
    }
}
