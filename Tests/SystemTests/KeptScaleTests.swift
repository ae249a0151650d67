import Common
import Foundation
import TestSupport
import Testing

@Suite("The number of shards", .serialized, .timeLimit(.minutes(5)))
struct KeptScaleTests {
    private static let events = StreamDefinition(
        name: "events", topics: [], mode: .append, columns: [Column("n", .bigint, required: true)])

    /// Starts as it was told before, and tells how many shards there are.
    private func shards(_ fleet: Fleet, _ words: [String] = [], environment: [String: String]) throws -> Int {
        let path = try fleet.writeConfiguration()
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let output = try fleet.command(
            ["start", "--detach"] + words, configuration: text, environment: environment)
        try #require(output.code == 0, "\(output.errors)")
        return try fleet.waitForStatus("running") { report in
            !report.shards.isEmpty && report.shards.allSatisfy { $0.state == "running" }
        }.shards.count
    }

    @Test("What scale has set outlives the coordinator, until the configured number changes or --shards says another")
    func kept() throws {
        let fleet = try Fleet(Self.events, partitions: 4)
        defer { _ = try? fleet.command("stop") }
        let two = ["MILLRACE_SHARDS": "2"]
        #expect(try shards(fleet, environment: two) == 2)
        try fleet.done("scale", "--shards", "3")
        try fleet.done("stop")
        #expect(try shards(fleet, environment: two) == 3)
        let log = try String(contentsOfFile: fleet.folder + "/coordinator.log", encoding: .utf8)
        #expect(log.contains("3 shards, as `scale` set them; configured are 2"))
        // A drain is for a moment.
        try fleet.done("drain")
        try fleet.done("stop")
        #expect(try shards(fleet, environment: two) == 3)
        try fleet.done("stop")
        #expect(try shards(fleet, environment: ["MILLRACE_SHARDS": "1"]) == 1)
        try fleet.done("stop")
        #expect(try shards(fleet, ["--shards", "4"], environment: two) == 4)
        try fleet.done("stop")
        #expect(try shards(fleet, environment: two) == 2)
    }
}
