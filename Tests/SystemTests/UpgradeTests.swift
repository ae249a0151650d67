import Common
import CoordinatorCore
import Foundation
import Postgres
import TestSupport
import Testing
import ZeroMQ

/// Programs of two builds, one after another and side by side.
@Suite("Upgrades", .serialized, .timeLimit(.minutes(10)))
struct UpgradeTests {
    private static let events = StreamDefinition(
        name: "events", topics: [], mode: .append,
        columns: [Column("n", .bigint, required: true), Column("p", .integer, required: true)])
    private static let partitions: Int32 = 4
    /// Records a second and partition.
    private let rate = 250

    private func waitForMore(_ fleet: Fleet) throws {
        let wanted = try fleet.stored() + Int64(rate) * Int64(Self.partitions)
        try fleet.wait("\(wanted) rows") { try fleet.stored() >= wanted }
    }

    /// All that was produced is there once, and has come to the followers once.
    /// - Returns: how many rows.
    private func finish(_ load: LoadGenerator, _ fleet: Fleet, _ followers: LogFollowers) throws -> Int {
        let perPartition = try load.stop()
        let total = perPartition * Int(Self.partitions)
        try fleet.waitForRecords(Int64(total))
        try followers.expectAll(fleet, perPartition: perPartition)
        #expect(followers.resets == [])
        try fleet.expectExact(perPartition: perPartition)
        try fleet.expectProven()
        return total
    }

    @Test(
        "A fleet is upgraded, rolled back and upgraded again under load: rows are exact, and clients at edges of both builds have each once",
        .enabled(if: EarlierBuild.areThere, "not run: no programs of earlier builds; scripts/previous makes them"),
        arguments: EarlierBuild.allCases)
    func alone(_ earlier: EarlierBuild) throws {
        let fleet = try Fleet(Self.events, partitions: Self.partitions)
        defer { _ = try? fleet.command("stop") }
        func start(_ programs: URL) throws {
            fleet.programs = programs
            try fleet.done("start", "--shards", "2", "--detach")
        }
        func edge(_ programs: URL, _ name: String) throws -> EdgeUnderTest {
            fleet.programs = programs
            return try EdgeUnderTest(fleet, name: name)
        }
        try start(earlier.programs)
        let schema = try fleet.rows("SELECT max(version) FROM millrace.migration")[0]
        var edges = [try edge(earlier.programs, "earlier"), try edge(Fleet.binaries, "new")]
        let followers = try LogFollowers(fleet, edges, steady: 2, churned: 8)
        let load = LoadGenerator(fleet.kafka, topic: fleet.topic, partitions: Self.partitions, rate: rate)
        try waitForMore(fleet)

        for programs in [Fleet.binaries, earlier.programs, Fleet.binaries] {
            // Whoever upgrades has the new command line before the new fleet.
            fleet.programs = Fleet.binaries
            let status = try fleet.command("status")
            #expect(status.text.contains("events"), "\(status)")
            try fleet.done("stop")
            try start(programs)
            try waitForMore(fleet)
        }
        edges.append(try edge(Fleet.binaries, "newer"))
        try followers.setEdges(Array(edges.dropFirst()))
        #expect(edges[0].drain() == 0)
        try waitForMore(fleet)

        let total = try finish(load, fleet, followers)
        let now = try fleet.rows("SELECT max(version) FROM millrace.migration")[0]
        print("figure: upgraded from schema \(schema) to \(now) and back under load: \(total) rows")
    }

    @Test(
        "A group is upgraded host by host under load, with edges of both builds: rows are exact, and clients have each once",
        .enabled(if: EarlierBuild.areThere, "not run: no programs of earlier builds; scripts/previous makes them"))
    func grouped() throws {
        let hosts = try Fleet.hosts(["a", "b"], Self.events, partitions: Self.partitions)
        let first = hosts[0]
        defer { for host in hosts { _ = try? host.command("stop") } }
        for host in hosts {
            host.controlAddress = "tcp://127.0.0.1:*"
            host.advertisedHost = "127.0.0.1"
        }
        func start(_ host: Fleet, _ programs: URL) throws {
            host.programs = programs
            let plan = host.group!
            try host.done("start", "--group", plan.name, "--member", plan.member, "--shards", "1", "--detach")
        }
        func waitForHalves() throws {
            for host in hosts {
                try host.waitForStatus("two halves") { report in
                    report.sources.allSatisfy { $0.state == "running" }
                        && (report.hosts ?? []).map(\.partitions) == [2, 2]
                }
            }
        }
        for host in hosts { try start(host, EarlierBuild.grouped.programs) }
        try waitForHalves()
        let edges = try [EarlierBuild.grouped.programs, Fleet.binaries].enumerated().map { number, programs in
            hosts[number].programs = programs
            return try EdgeUnderTest(hosts[number], name: "edge")
        }
        let followers = try LogFollowers(first, edges, steady: 2, churned: 8)
        let load = LoadGenerator(first.kafka, topic: first.topic, partitions: Self.partitions, rate: rate)
        try waitForMore(first)
        for host in hosts {
            host.programs = Fleet.binaries
            try host.done("stop")
            try start(host, Fleet.binaries)
            try waitForHalves()
            try waitForMore(first)
        }
        let total = try finish(load, first, followers)
        print("figure: two hosts upgraded one after another under load: \(total) rows")
    }

    @Test("What a program of another version says is refused by name, and holds up nobody")
    func foreign() throws {
        let fleet = try Fleet(Self.events, partitions: 2)
        fleet.group = GroupPlan(name: "group-\(UUID().uuidString.prefix(8))", member: "a")
        try fleet.launch(shards: 1)
        try fleet.waitForStatus("running") { $0.sources.count == 2 && $0.sources.allSatisfy { $0.state == "running" } }

        let context = Context()
        let command = try Socket(.dealer, in: context)
        try command.connect("ipc://\(fleet.folder)/control/coordinator")
        for (message, name) in [
            (#"{"version":7,"message":{"status":{}}}"#, "version 7"), (#"{"version":1,"message":{"fly":{}}}"#, "'fly'"),
        ] {
            _ = try command.send([Array(message.utf8)])
            var reason = ""
            try fleet.wait("an answer") {
                guard let parts = try command.receive() else { return false }
                if case .refused(let text) = try ControlEnvelope<CommandReply>.decode(parts[0]) { reason = text }
                return true
            }
            #expect(reason.contains(name), "\(reason)")
        }

        // A coordinator of another version: an edge says so.
        let foreign = try Socket(.router, in: context)
        try foreign.bind("ipc://\(fleet.folder)/foreign")
        let edge = try EdgeUnderTest(
            fleet, name: "edge", control: "ipc://\(fleet.folder)/foreign")
        try fleet.wait("the edge to say so: \(edge.log)") {
            if let parts = try foreign.receive() {
                _ = try foreign.send([parts[0], Array(#"{"version":7,"message":{"configure":{}}}"#.utf8)])
            }
            return edge.log.contains("answers with a message in version 7 of the control protocol")
        }

        // A host that describes itself in another way.
        try fleet.execute(
            """
            INSERT INTO millrace.member (name, group_name, owns_schema, version, report)
            VALUES ('b', '\(fleet.group!.name)', false, 99, '{"another":"form"}')
            """)
        try fleet.waitForStatus("the other version by its name") { report in
            report.problems.contains { $0.contains("host b is of another version (its schema is 99)") }
                && report.hosts?.map(\.name) == ["a", "b"]
        }
        #expect(try fleet.command("drain", "--all").errors.contains("of another version, and not asked: b"))
        try fleet.execute("UPDATE millrace.member SET request = '[{\"fly\":{}}]' WHERE name = 'a'")
        try fleet.waitForStatus("what it does not know") { report in
            report.notices.contains { $0.text.contains("asks for something that this version does not know") }
        }
        let load = LoadGenerator(fleet.kafka, topic: fleet.topic, partitions: 2, rate: rate)
        try waitForMore(fleet)
        let perPartition = try load.stop()
        try fleet.waitForRecords(Int64(perPartition) * 2)
        try fleet.stop()
    }
}
