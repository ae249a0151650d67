import Common
import CoordinatorCore
import Foundation
import TestSupport
import Testing

/// Several coordinators that are one fleet, on this machine: each has a runtime folder of its own.
@Suite("A group of coordinators", .serialized, .timeLimit(.minutes(10)))
struct GroupTests {
    private static let events = StreamDefinition(
        name: "events", topics: [], mode: .append, columns: [Column("n", .bigint, required: true)])

    private func load(_ fleet: Fleet, _ range: Range<Int>) throws {
        for partition in 0..<fleet.partitions {
            try fleet.kafka.produce(range.map { #"{"n":\#($0)}"# }, to: fleet.topic, partition: partition)
        }
    }

    /// Each host's partitions, as one host sees them; nil while one of them does not see the other, or some partition is nobody's.
    private func shares(_ report: StatusReport) -> [String: Int]? {
        guard report.healthy, report.sources.allSatisfy({ $0.state == "running" }) else { return nil }
        return Dictionary(uniqueKeysWithValues: (report.hosts ?? []).map { ($0.name, $0.partitions) })
    }

    /// By partition.
    private func holders(_ fleet: Fleet) throws -> [Int32: String] {
        let sources = try #require(try fleet.status()).sources
        return Dictionary(
            uniqueKeysWithValues: sources.compactMap { source in source.host.map { (source.partition, $0) } })
    }

    @Test(
        "Hosts divide the partitions; one that is added, killed, stopped or back moves as few as must, and rows are exact"
    )
    func divided() throws {
        let hosts = try Fleet.hosts(["a", "b", "c"], Self.events, partitions: 12)
        let (a, b, c) = (hosts[0], hosts[1], hosts[2])
        try a.launch(shards: 2)
        try a.waitForStatus("a has all") { shares($0) == ["a": 12] }
        try load(a, 0..<500)
        try b.launch(shards: 1)
        for host in [a, b] { try host.waitForStatus("two halves") { shares($0) == ["a": 6, "b": 6] } }
        let halves = try holders(a)
        let seenByOther = try holders(b)
        #expect(halves.count == 12 && halves == seenByOther)
        try load(a, 500..<1000)
        try c.launch(shards: 1)
        for host in [a, b, c] { try host.waitForStatus("three thirds") { shares($0) == ["a": 4, "b": 4, "c": 4] } }
        let thirds = try holders(c)
        #expect(thirds.filter { halves[$0.key] != $0.value }.values.allSatisfy { $0 == "c" }, "only to c")
        #expect(try a.status()?.hosts?.map(\.ownsSchema) == [true, false, false])
        try load(a, 1000..<1500)

        try b.done("scale", "--shards", "2", "--host", "c")
        try a.waitForStatus("another shard of c") { $0.shards.map { "\($0.host ?? "")/\($0.id)" }.contains("c/1") }
        let pids = Set(try #require(try a.status()).shards.map(\.pid))
        try b.done("restart", "--rolling", "--all")
        try a.waitForStatus("all anew", seconds: 180) { report in
            shares(report) == ["a": 4, "b": 4, "c": 4] && report.shards.count == 5
                && pids.isDisjoint(with: report.shards.map(\.pid))
        }
        #expect(try b.command("scale", "--shards", "2", "--host", "nobody").code == ExitCode.usage.rawValue)
        try a.done("drain", "--host", "c")
        try a.waitForStatus("others have what c had") { report in
            !report.shards.contains { $0.host == "c" } && shares(report) == ["a": 6, "b": 6, "c": 0]
        }
        try a.done("scale", "--shards", "1", "--host", "c")
        for host in [a, b, c] { try host.waitForStatus("three thirds") { shares($0) == ["a": 4, "b": 4, "c": 4] } }

        try c.done("pause", "events")
        #expect(try c.rows("SELECT count(*) FROM millrace.source WHERE claim IS NOT NULL") == ["0"])
        for host in [a, b, c] {
            try host.waitForStatus("paused everywhere") { $0.sources.allSatisfy { $0.state == "paused" } }
        }
        try a.done("resume", "events")
        for host in [a, b, c] { try host.waitForStatus("three thirds") { shares($0) == ["a": 4, "b": 4, "c": 4] } }

        let before = try holders(b)
        a.signal(SIGKILL)
        let killed = ContinuousClock.now
        _ = a.waitForExit()
        try load(b, 1500..<2000)
        try b.waitForRecords(12 * 2000)
        print("figure: the partitions of a killed host went on after \(ContinuousClock.now - killed)")
        for host in [b, c] {
            try host.waitForStatus("two halves, and an owner") { report in
                let hosts = report.hosts ?? []
                return hosts.filter { $0.name != "a" }.map(\.partitions) == [6, 6]
                    && hosts.filter { $0.ownsSchema && $0.name != "a" }.count == 1 && !hosts[0].ownsSchema
            }
            let after = try holders(host)
            #expect(before.filter { $0.value != "a" }.allSatisfy { after[$0.key] == $0.value }, "the others stay")
        }

        let stopped = ContinuousClock.now
        try c.stop()
        try b.waitForStatus("b has all") { report in
            report.hosts?.first { $0.name == "b" }?.partitions == 12
        }
        let moved = ContinuousClock.now - stopped
        print("figure: those of one that was stopped went on after \(moved)")
        #expect(moved < .seconds(9), "the session's end, 10 s, is not waited for")
        try load(b, 2000..<2500)
        try b.waitForRecords(12 * 2500)

        try a.launch(shards: 1)
        for host in [a, b] { try host.waitForStatus("a is back") { shares($0) == ["a": 6, "b": 6] } }
        try load(b, 2500..<3000)
        try b.waitForRecords(12 * 3000)
        let report = try b.waitForStatus("nothing waits") { $0.sources.allSatisfy { $0.lag == 0 } }
        #expect(report.shards.map { "\($0.host ?? "")/\($0.id)" } == ["a/0", "b/0"])
        let told = (0..<12).map { "\(a.topic) \($0) 3000 3000 0" }.sorted()
        try b.wait("Kafka's tools show it") { try b.kafka.group(b.group!.name).sorted() == told }
        try b.expectExact(perPartition: 3000)
        try b.expectProven()
        let twin = try Fleet(Self.events, partitions: 12, sharing: a)
        twin.group = b.group
        try twin.launch(shards: 1)
        #expect(b.waitForExit() == ExitCode.unavailable.rawValue, "another has its name")
        for host in [a, twin] { try host.waitForStatus("the twin has its place") { shares($0) == ["a": 6, "b": 6] } }

        for other in [GroupPlan(name: "another", member: "d"), nil] {
            let stranger = try Fleet(Self.events, partitions: 12, sharing: a)
            stranger.group = other
            let refused = try stranger.launchFailing()
            #expect(
                refused.code == ExitCode.unavailable.rawValue && refused.text.contains("is in use by"), "\(refused)")
        }
        for host in [a, twin] { try host.stop() }
        #expect(try b.rows("SELECT count(*) FROM millrace.member WHERE name <> 'c'") == ["0"])
    }

    @Test(
        "What one host has paused is resumed from any other, and paused again when it has to be; who has nothing says so"
    )
    func hostsAgree() throws {
        let hosts = try Fleet.hosts(["a", "b"], Self.events, partitions: 2)
        let a = hosts[0]
        for host in hosts { try host.launch(shards: 1) }
        for host in hosts { try host.waitForStatus("one each") { shares($0) == ["a": 1, "b": 1] } }
        let holder = try #require(try holders(a)[0])
        let other = try #require(hosts.first { $0.group?.member != holder })
        let pauses = "SELECT count(*) FROM millrace.audit WHERE action = 'pause'"
        for turn in 1...2 {
            try a.kafka.produce((0..<1400).map { #"{"m":\#($0)}"# }, to: a.topic, partition: 0)
            try a.wait("the breaker on \(holder), \(turn)") { try a.rows(pauses) == ["\(turn)"] }
            for host in hosts {
                try host.waitForStatus("paused") { $0.sources.allSatisfy { $0.state == "paused" } }
            }
            try other.done("resume", "events")
            try a.waitForRecords(Int64(turn) * 1400)
        }
        // One that can't start: the others do not miss it.
        let third = try Fleet(Self.events, partitions: 2, sharing: a)
        let refused = try third.command(
            "start", "--group", a.group!.name, "--member", "c", "--shards", "1", "--metrics",
            "127.0.0.1:\(a.kafka.port)")
        #expect(refused.code == ExitCode.unavailable.rawValue, "\(refused)")
        #expect(try a.rows("SELECT name FROM millrace.member ORDER BY name") == ["a", "b"])
        try other.done("drain", "--all")
        for host in hosts {
            try host.waitForStatus("nobody has any") { $0.sources.allSatisfy { $0.state == "unassigned" } }
        }
        for host in hosts { try host.stop() }
    }
}
