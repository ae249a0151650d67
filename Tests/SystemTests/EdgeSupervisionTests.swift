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

    @Test("With MILLRACE_LOG=json every line of a fleet's log is an object with its fields, whichever program says it")
    func logs() throws {
        let fleet = try Fleet(Self.events, partitions: 2)
        let started = try fleet.command(
            ["start", "--shards", "2", "--edges", "1", "--edge-port", "0", "--detach"],
            environment: ["MILLRACE_LOG": "json"])
        #expect(started.code == 0, "\(started)")
        defer { _ = try? fleet.command("stop") }
        let before = try fleet.waitForStatus("a healthy fleet") { $0.healthy && $0.edges.contains { !$0.id.isEmpty } }
        // One that can't be reached any more, and a table that is gone.
        kill(try #require(before.edges[0].pid), SIGKILL)
        try fleet.execute("DROP TABLE events")
        try fleet.kafka.produce([#"{"n":1}"#], to: fleet.topic, partition: 0)
        try fleet.waitForStatus("notices of both") { report in
            report.notices.contains { $0.text.hasPrefix("edge ") }
                && report.notices.contains { $0.text.contains("stream events") }
        }
        try fleet.done("stop")
        let text = try String(contentsOfFile: fleet.folder + "/coordinator.log", encoding: .utf8)
        let lines = try text.split(separator: "\n").map { line in
            try #require(
                JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "no object: \(line)")
        }
        #expect(lines.allSatisfy { $0["time"] is String && $0["level"] is String && $0["message"] is String })
        #expect(Set(lines.compactMap { $0["process"] as? String }) == ["coordinator", "ws-edge"])
        let trouble = lines.filter { ($0["message"] as? String)?.contains("stream events") == true }
        #expect(trouble.contains { $0["level"] as? String == "warning" && $0["shard"] is Int }, "\(trouble)")
        let refused = try fleet.command(["status"], environment: ["MILLRACE_LOG": "yaml"])
        #expect(
            refused.code == ExitCode.configuration.rawValue && refused.errors.contains("text or json"), "\(refused)")
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
