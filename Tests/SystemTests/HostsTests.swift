import Common
import CoordinatorCore
import Foundation
import TestSupport
import Testing

/// Hosts with addresses of their own, one Kafka and one Postgres between them.
@Suite("Several hosts", .serialized, .timeLimit(.minutes(10)))
struct HostsTests {
    private static let events = StreamDefinition(
        name: "events", topics: [], mode: .append,
        columns: [Column("n", .bigint, required: true), Column("p", .integer, required: true)])
    private static let partitions: Int32 = 16
    private static var isLarge: Bool { ProcessInfo.processInfo.environment["MILLRACE_MEASURE"] == "1" }
    /// Records a second and partition: 10,000 in all, or a fifth of it.
    private let rate = isLarge ? 625 : 125
    private let cutSeconds = isLarge ? 30.0 : 15

    private func makeKafka(at address: String) throws -> TestKafka {
        try TestKafka { port, controller in
            """
            listeners=PLAINTEXT://0.0.0.0:\(port),CONTROLLER://127.0.0.1:\(controller)
            advertised.listeners=PLAINTEXT://\(address):\(port)

            """
        }
    }

    private func makePostgres() throws -> TestPostgres {
        let rules = "/tmp/millrace-hba-\(UUID().uuidString.prefix(8))"
        try "local all all trust\nhost all all 10.0.0.0/8 trust\n".write(
            toFile: rules, atomically: false, encoding: .utf8)
        return try TestPostgres(port: FreePort.random(), settings: ["listen_addresses": "*", "hba_file": rules])
    }

    private func expectFlow(_ watch: PositionWatch, _ what: String, since begin: Double, of member: String) {
        let (own, others) = watch.stalls(since: begin, of: member)
        func text(_ values: [Double]) -> String { values.max().map { String(format: "%.2f s", $0) } ?? "-" }
        print(
            "figure: \(what): its \(own.count) partitions stood for \(text(own)), the other \(others.count) for \(text(others))"
        )
        // A session's time is 10 s: nobody but those of the host that is gone waits for it.
        #expect(others.allSatisfy { $0 < 6 })
    }

    @Test(
        "One is killed, one cut off and back, one added, the owner killed: rows are exact, published once, and the others go on"
    )
    func faults() throws {
        let names = ["a", "b", "c"]
        let machines = try names.map { _ in try NetworkNamespace() }
        let address = machines[0].here
        let kafka = try makeKafka(at: address)
        let server = try makePostgres()
        let hosts = try Fleet.hosts(names, Self.events, partitions: Self.partitions, kafka: kafka, server: server)
        let first = hosts[0]
        let local = first.postgres
        for (index, host) in hosts.enumerated() {
            host.host = machines[index]
            host.controlAddress = "tcp://\(machines[index].there):*"
            host.advertisedHost = machines[index].there
            host.kafkaConfiguration["bootstrap.servers"] = "\(address):\(kafka.port)"
            host.postgres["host"] = address
        }
        let (a, b, c) = (hosts[0], hosts[1], hosts[2])
        for host in [a, b] { try host.launch(shards: 2) }
        /// As each of them sees it.
        func waitForShares(_ sharing: [Fleet]) throws {
            let names = sharing.map { $0.group!.member }
            for host in sharing {
                try host.waitForStatus("\(names) share", seconds: 90) { report in
                    let counts = (report.hosts ?? []).filter { names.contains($0.name) }.map(\.partitions)
                    return counts.count == names.count && counts.max()! - counts.min()! <= 1
                        && counts.reduce(0, +) == Int(Self.partitions)
                        && report.sources.allSatisfy { $0.state == "running" }
                }
            }
        }
        try waitForShares([a, b])

        let key = "\(first.folder)/edge.keys"
        try b.done("keys", "add", "edge").write(toFile: key, atomically: false, encoding: .utf8)
        let control = try #require(try b.status()?.remoteControl).endpoint
        let edges = try (0..<2).map {
            try EdgeUnderTest(first, name: "\($0)", control: control, key: key)
        }
        for edge in edges {
            try first.wait("an edge to hear a worker", seconds: 60) {
                try HTTPClient(edge.address).get("/readyz").status == 200
            }
        }
        let followers = try LogFollowers(first, edges, steady: 4, churned: Int(Self.partitions))
        let watch = PositionWatch(local)
        let load = LoadGenerator(kafka, topic: first.topic, partitions: Self.partitions, rate: rate)
        func begin() -> Double { Date.now.timeIntervalSince1970 }
        func waitForMore(seconds: Double) throws {
            let before = try first.stored()
            let wanted = before + Int64(seconds * Double(rate) * Double(Self.partitions))
            try first.wait("\(wanted) rows") { try first.stored() >= wanted }
        }
        try waitForMore(seconds: 3)

        var since = begin()
        try c.launch(shards: 2)
        try waitForShares(hosts)
        try waitForMore(seconds: 2)
        expectFlow(watch, "one host added", since: since, of: "c")

        since = begin()
        c.signal(SIGKILL)
        _ = c.waitForExit()
        try waitForShares([a, b])
        try waitForMore(seconds: 2)
        expectFlow(watch, "one killed", since: since, of: "c")
        try c.launch(shards: 2)
        try waitForShares(hosts)

        since = begin()
        try machines[1].setLink(up: false)
        // As long as the fault lasts.
        Thread.sleep(forTimeInterval: cutSeconds)
        expectFlow(watch, "one cut off for \(Int(cutSeconds)) s, until then", since: since, of: "b")
        since = begin()
        try machines[1].setLink(up: true)
        try waitForShares(hosts)
        try waitForMore(seconds: 2)
        expectFlow(watch, "and back", since: since, of: "b")

        let owner = try #require(try b.status()?.hosts?.first(where: \.ownsSchema)).name
        let killed = try #require(hosts.first { $0.group?.member == owner })
        since = begin()
        killed.signal(SIGKILL)
        _ = killed.waitForExit()
        let other = try #require(hosts.first { $0 !== killed })
        try other.waitForStatus("another owner", seconds: 60) {
            ($0.hosts ?? []).contains { $0.ownsSchema && $0.name != owner && $0.silence < 5 }
        }
        try waitForMore(seconds: 15)
        expectFlow(watch, "the owner, \(owner), killed", since: since, of: owner)

        let perPartition = try load.stop()
        let total = perPartition * Int(Self.partitions)
        try first.wait("\(total) records; \((try? first.stored()) ?? -1) are stored") {
            try first.stored() >= Int64(total)
        }
        watch.stop()
        try followers.expectAll(first, perPartition: perPartition)
        #expect(followers.resets == [])
        print("figure: \(total) rows to each client, in \(followers.steady.map(\.subscriptions.count)) subscriptions")
        try other.expectExact(perPartition: perPartition)
        try other.expectProven()
        for host in hosts where host !== killed { try host.stop() }
    }
}
