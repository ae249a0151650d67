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

    /// Two clients that go from edge to edge, and churned ones.
    private struct Followers {
        let steady: [EdgeClient]
        let churned: StateClients
        private static let churnedCount = 8

        init(_ fleet: Fleet, _ edges: [EdgeUnderTest]) throws {
            let urls = edges.map(\.url)
            steady = try [urls, urls.reversed()].enumerated().map { number, urls in
                try EdgeClient("events", edges: urls, folder: "\(fleet.folder)/client-\(number)")
            }
            for client in steady { try fleet.wait("a subscription") { client.subscriptions.count == 1 } }
            // Of one partition each, whose rows come in their order.
            churned = try StateClients(
                "events", .log(epoch: try fleet.rows("SELECT epoch FROM millrace.stream")[0], partitions: 1),
                (0..<partitions).map { #"{"where":{"p":\#($0)}}"# }, count: Self.churnedCount, edges: urls,
                folder: fleet.folder + "/churned")
        }

        func setEdges(_ edges: [EdgeUnderTest]) throws {
            for client in steady { try client.setEdges(edges.map(\.url)) }
            try churned.setEdges(edges.map(\.url))
        }

        func expectAll(_ fleet: Fleet, perPartition: Int) throws {
            let total = perPartition * Int(partitions)
            for client in steady {
                try fleet.wait("\(total) rows; \(client.rows.count) came") { client.rows.count >= total }
                #expect(client.rows.count == total && Set(client.rows).count == total && client.resets == [])
            }
            try churned.expectAll(of: fleet, perPartition: perPartition, count: Self.churnedCount)
        }
    }

    private func waitForMore(_ fleet: Fleet) throws {
        let wanted = try fleet.stored() + Int64(rate) * Int64(Self.partitions)
        try fleet.wait("\(wanted) rows") { try fleet.stored() >= wanted }
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
        let followers = try Followers(fleet, edges)
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

        let perPartition = try load.stop()
        try fleet.waitForRecords(Int64(perPartition) * Int64(Self.partitions))
        try followers.expectAll(fleet, perPartition: perPartition)
        try fleet.expectExact(perPartition: perPartition)
        try fleet.expectProven()
        let now = try fleet.rows("SELECT max(version) FROM millrace.migration")[0]
        print(
            "figure: upgraded from schema \(schema) to \(now) and back under load: \(perPartition * Int(Self.partitions)) rows"
        )
    }

    @Test(
        "A group is upgraded host by host under load, with edges of both builds: rows are exact, and clients have each once",
        .enabled(if: EarlierBuild.areThere, "not run: no programs of earlier builds; scripts/previous makes them"))
    func grouped() throws {
        let first = try Fleet(Self.events, partitions: Self.partitions)
        let hosts = [first, try Fleet(Self.events, partitions: Self.partitions, sharing: first)]
        defer { for host in hosts { _ = try? host.command("stop") } }
        for host in hosts {
            host.controlAddress = "tcp://127.0.0.1:*"
            host.advertisedHost = "127.0.0.1"
        }
        let group = "group-\(UUID().uuidString.prefix(8))"
        func start(_ host: Fleet, _ programs: URL) throws {
            host.programs = programs
            let name = host === first ? "a" : "b"
            try host.done("start", "--group", group, "--member", name, "--shards", "1", "--detach")
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
        let followers = try Followers(first, edges)
        let load = LoadGenerator(first.kafka, topic: first.topic, partitions: Self.partitions, rate: rate)
        try waitForMore(first)
        for host in hosts {
            host.programs = Fleet.binaries
            try host.done("stop")
            try start(host, Fleet.binaries)
            try waitForHalves()
            try waitForMore(first)
        }
        let perPartition = try load.stop()
        try first.waitForRecords(Int64(perPartition) * Int64(Self.partitions))
        try followers.expectAll(first, perPartition: perPartition)
        try first.expectExact(perPartition: perPartition)
        try first.expectProven()
        print("figure: two hosts upgraded one after another under load: \(perPartition * Int(Self.partitions)) rows")
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
