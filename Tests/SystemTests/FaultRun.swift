import Common
import Foundation
import Kafka
import TestSupport
import Testing

/// One run of a fleet under random faults, the same for the same seed: real processes, broker and Postgres.
///
/// Used from one thread.
final class FaultRun {
    static let partitions: Int32 = 8
    private static let modes: [StreamMode] = [.append, .increment, .upsert]
    let mode: StreamMode
    var random: SeededGenerator
    let fleet: Fleet
    private let proxy: TCPProxy
    let kafka: TestKafka
    private let cluster: String
    /// Of the fault `anotherCluster`.
    private var otherKafka: TestKafka?
    private let server: TestPostgres
    private let listener: FeedListener
    private var edges: [EdgeUnderTest] = []
    /// Of an append stream.
    private var client: EdgeClient?
    /// Of a keyed one.
    private var states: StateClients?
    private var edgeCount = 0
    private var crowd: EdgeCrowd?
    var load: FaultLoad
    private var stopped: [Int32] = []
    /// Faults to come: each kind once before any comes again.
    private var deck: [Fault] = []
    var report = FaultReport()

    /// The seed's remainder by three decides the mode.
    init(seed: UInt64, kafka: TestKafka, server: TestPostgres) throws {
        random = SeededGenerator(seed: seed)
        mode = Self.modes[Int(seed % UInt64(Self.modes.count))]
        let stream = StreamDefinition(
            name: "events", topics: [], mode: mode, key: mode == .append ? [] : ["k"],
            increments: mode == .increment ? ["n"] : [],
            columns: [Column("k", .text, required: true), Column("n", .bigint, required: true)])
        self.kafka = kafka
        cluster = try #require(try Admin(kafka.configuration).clusterID())
        self.server = server
        let fleet = try Fleet(
            stream, partitions: Self.partitions, kafka: kafka, server: server, isProxied: true,
            topicConfiguration: mode == .upsert ? Compaction.topicConfiguration : [:])
        self.fleet = fleet
        proxy = fleet.proxy!
        load = FaultLoad(mode, kafka: kafka, topic: fleet.topic, partitions: Self.partitions)
        listener = try FeedListener(stream.name, folder: fleet.feedFolder)
    }

    /// Runs under `faults` faults and checks what must hold afterwards.
    func run(faults: Int) -> FaultReport {
        do {
            if mode == .upsert { try kafka.configure(Compaction.brokerConfiguration) }
            try launch(shards: 3)
            edges = [try makeEdge(), try makeEdge()]
            if mode == .append {
                client = try EdgeClient("events", edges: edges.map(\.url), folder: fleet.folder + "/client")
                try fleet.wait("a client's subscription") { client?.subscriptions.count == 1 }
            } else {
                states = try StateClients(
                    "events", .table(key: "k"), Self.filters.map(\.request), count: Self.filters.count * 2,
                    edges: edges.map(\.url), folder: fleet.folder + "/states")
            }
            for _ in 0..<faults {
                try load.produce(&random)
                if deck.isEmpty { deck = Fault.allCases.shuffled(using: &random) }
                try inject(deck.removeLast())
                try listener.collect()
                if Int.random(in: 0..<3, using: &random) == 0 { wakeStopped() }
            }
            wakeStopped()
            if mode == .append, let edge = edges.first {
                crowd = try EdgeCrowd("events", edge: edge.url, folder: fleet.folder + "/crowd")
            }
            try load.produce(&random)
            try load.produce(&random)
            try waitForEverything()
            try check()
            try finale()
            try end()
        } catch {
            let reason = error is ExpectationFailedError ? "see above" : "\(error)"
            report.violations.append("it did not get to its end: \(reason)")
        }
        report.cuts = proxy.cuts
        return report
    }

    private func inject(_ fault: Fault) throws {
        switch fault {
        case .killWorker:
            guard let victim = fleet.workerPIDs().sorted().randomElement(using: &random) else { return }
            kill(victim, SIGKILL)
        case .stopWorker:
            guard let victim = fleet.workerPIDs().sorted().randomElement(using: &random) else { return }
            kill(victim, SIGSTOP)
            stopped.append(victim)
        case .stopCoordinator:
            kill(fleet.pid, SIGSTOP)
            stopped.append(fleet.pid)
        case .stopEdge:
            guard let victim = edges.randomElement(using: &random) else { return }
            kill(victim.pid, SIGSTOP)
            stopped.append(victim.pid)
        case .killCoordinator:
            fleet.signal(SIGKILL)
            _ = fleet.waitForExit()
            // A stopped worker can't notice that its parent is gone.
            wakeStopped()
            try launch(shards: Int32.random(in: 1...4, using: &random))
        case .terminateBackends:
            _ = try? fleet.rows(
                "SELECT pg_terminate_backend(backend_pid) FROM millrace.source WHERE backend_pid IS NOT NULL")
        case .crashPostgres:
            try server.crash()
            if Bool.random(using: &random) { try load.produce(&random) }
            try server.revive()
        case .crashBroker:
            try kafka.crash()
            try kafka.revive()
        case .scale:
            guard
                case .done? = try fleet.ask(
                    .scale(shards: Int32.random(in: 1...5, using: &random)), within: .seconds(1))
            else { return }
        case .cutCommit:
            let kinds = CommitCut.allCases
            proxy.cut((0..<16).map { $0 % 4 == 3 ? nil : kinds.randomElement(using: &random) })
            for _ in 0..<4 { try load.produce(&random) }
        case .compact: guard try compact() else { return }
        case .killEdge:
            guard !edges.isEmpty else { return }
            // Another one takes its place, elsewhere.
            edges.remove(at: Int.random(in: edges.indices, using: &random)).kill()
            edges.append(try makeEdge())
            try client?.setEdges(edges.map(\.url))
            try states?.setEdges(edges.map(\.url))
        case .abortTransaction: try load.produceTransactions(&random)
        case .anotherCluster: try goElsewhere()
        case .hangPostgres:
            let backends = (try? fleet.rows("SELECT pid FROM pg_stat_activity WHERE application_name = 'edge'")) ?? []
            guard !backends.isEmpty else { return }
            for pid in backends.compactMap({ Int32($0) }) {
                kill(pid, SIGSTOP)
                stopped.append(pid)
            }
            try load.produce(&random)
        }
        report.faults[fault, default: 0] += 1
    }

    private func goElsewhere() throws {
        wakeStopped()
        proxy.cutNoMore()
        func restart(_ kafka: TestKafka, isNew: Bool = false) throws {
            fleet.signal(SIGTERM)
            _ = fleet.waitForExit()
            try fleet.waitForNoWorkers()
            fleet.kafkaConfiguration = kafka.configuration
            if isNew {
                let refused = try fleet.launchFailing()
                if refused.code != ExitCode.configuration.rawValue || !refused.text.contains("--new-cluster") {
                    report.violations.append("another cluster was not refused: \(refused)")
                }
            }
            fleet.beginsOnNewCluster = isNew
            try launch(shards: 3)
        }
        let isNew = otherKafka == nil
        let other = try otherKafka ?? TestKafka()
        otherKafka = other
        if isNew { _ = try other.makeTopic(fleet.topic, partitions: Self.partitions) }
        try restart(other, isNew: isNew)
        try fleet.waitForStatus("the other cluster's sources, read") { report in
            report.sources.count { $0.topic == fleet.topic && $0.lag == 0 } == Int(Self.partitions)
        }
        try restart(kafka)
    }

    /// Of upsert streams, whose rows don't depend on what is compacted away. False when nothing was.
    private func compact() throws -> Bool {
        guard mode == .upsert else { return false }
        try load.note()
        let before = try kafka.read(fleet.topic, to: kafka.ends(fleet.topic, partitions: Self.partitions))
        try kafka.configure(topic: fleet.topic, ["cleanup.policy": "compact"])
        // What is written to is not compacted: this closes it, and is what is written to then.
        try load.produce(&random, count: 1...3)
        let ends = try kafka.ends(fleet.topic, partitions: Self.partitions)
        try fleet.wait("compaction", seconds: 60) {
            let now = try kafka.read(fleet.topic, to: ends)
            return zip(before, now).contains { $0.count > $1.count }
        }
        try kafka.configure(topic: fleet.topic, ["cleanup.policy": "delete"])
        return true
    }

    private func makeEdge() throws -> EdgeUnderTest {
        edgeCount += 1
        return try EdgeUnderTest(fleet, name: String(edgeCount), environment: ["PGAPPNAME": "edge"])
    }

    /// A start whose own COMMIT is cut fails, as it may: that is not what is looked at here.
    private func launch(shards: Int32) throws {
        proxy.cutNoMore()
        try fleet.launch(shards: shards)
        try fleet.waitForStatus("a worker") { $0.shards.contains { $0.state == "running" } }
    }

    private func wakeStopped() {
        for pid in stopped { kill(pid, SIGCONT) }
        stopped.removeAll()
    }

    /// Until every record is counted, if none was compacted away, and every position is at its partition's end.
    private func waitForEverything() throws {
        if report.faults[.compact] == nil { try waitForRecords() }
        // The marker of a transaction may come a moment after its COMMIT: then there is more to read.
        var ends: [Int64]
        repeat {
            ends = try kafka.ends(fleet.topic, partitions: Self.partitions)
            _ = try kafka.read(fleet.topic, to: ends)
        } while try ends != kafka.ends(fleet.topic, partitions: Self.partitions)
        try fleet.wait("the ends of all partitions, \(ends)", seconds: 180) {
            try fleet.requireRunning()
            // The test's own connection may be of before a crash.
            let positions = try? fleet.rows(
                "SELECT next_offset FROM millrace.source WHERE cluster_id = '\(cluster)' ORDER BY partition")
            return positions == ends.map(String.init)
        }
        // So that what is missing in Kafka is told from what was compacted.
        if report.faults[.compact] != nil {
            try load.note()
            try kafka.configure(topic: fleet.topic, ["cleanup.policy": "compact"])
        }
    }

    private func waitForRecords() throws {
        let counts =
            "SELECT records + open_records FROM (SELECT coalesce(sum(records), 0) AS records FROM millrace.ledger) l, "
            + "(SELECT sum(open_records) AS open_records FROM millrace.source) s"
        func stored() -> Int { (try? fleet.rows(counts)).flatMap { Int($0[0]) } ?? -1 }
        try fleet.wait("\(load.count) records; \(stored()) are stored", seconds: 180) {
            try fleet.requireRunning()
            return stored() >= load.count
        }
    }

    private func check() throws {
        var oracle = try FaultOracle(mode, load, kafka: kafka, topic: fleet.topic)
        try oracle.check(fleet, cluster: cluster)
        report.violations += oracle.violations
        try checkFeed(oracle)
        try checkClient(oracle)
        for finding in try fleet.verify(deep: true) {
            let wasCompacted = report.faults[.compact] != nil
            let unexplained = finding.notComparable.filter { !wasCompacted || !$0.contains("Kafka has compacted") }
            report.violations += (finding.breaks + unexplained).map { "verify: \(finding.partition): \($0)" }
            report.records += Int(finding.records)
            report.rows += Int(finding.rows)
            report.dead += Int(finding.dead)
        }
    }

    /// What was published had been committed, and was published once.
    private func checkFeed(_ oracle: FaultOracle) throws {
        try listener.collect()
        report.heard = listener.published.count
        let pairs = try fleet.rows("SELECT id, partition FROM millrace.source").map { $0.split(separator: "|") }
        let partitions = Dictionary(uniqueKeysWithValues: pairs.map { ($0[0], $0[1]) })
        let published = listener.published.map { place in
            let parts = place.split(separator: "|")
            return "\(partitions[parts[0]] ?? "no partition")|\(parts[1])"
        }
        let invented = Set(published).subtracting(oracle.goodPlaces)
        if !invented.isEmpty { report.violations.append("published, but no record: \(invented.sorted().prefix(3))") }
        if !listener.twice.isEmpty { report.violations.append("published twice: \(listener.twice.prefix(3))") }
        if listener.published.isEmpty { report.violations.append("nothing was heard on the feed") }
    }

    /// What clients of a keyed stream ask for, and which rows of the table that is.
    private static let filters = [
        (request: #"{"snapshot":true}"#, condition: "true"),
        (request: #"{"snapshot":true,"where":{"n":{"lt":3000}}}"#, condition: "n < 3000"),
        (request: #"{"snapshot":true,"mode":"latest","max_hz":20,"where":{"n":{"gte":2000}}}"#, condition: "n >= 2000"),
    ]

    /// Clients that were moved from edge to edge have what the table holds.
    private func checkStates() throws {
        guard let states else { return }
        let ends = try fleet.rows(
            "SELECT json_object_agg(id, next_offset) FROM millrace.source WHERE cluster_id = '\(cluster)'")[0]
        try states.finish(at: ends)
        try fleet.wait("the clients; \(states.states.count) are at the end; \(states.errors)") { !states.isRunning }
        if states.errors != "" { report.violations.append("the clients: \(states.errors)") }
        report.violations += states.gaps.map { "a client was told of a \($0)" }
        for (number, text) in states.states.sorted(by: { $0.key < $1.key }) {
            let condition = Self.filters[number % Self.filters.count].condition
            let expected = try fleet.rows("SELECT k, n FROM events WHERE NOT deleted AND \(condition)").sorted()
            let rows = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]] ?? []
            let seen = rows.map { "\($0["k"] ?? "")|\($0["n"] ?? "")" }.sorted()
            if seen != expected {
                report.violations.append("client \(number), \(condition): it has \(seen), the table \(expected)")
            }
        }
        report.states += states.states.count
        states.stop()
    }

    /// A client that was moved from edge to edge saw every row once, in the order of its partition.
    private func checkClient(_ oracle: FaultOracle) throws {
        try checkStates()
        defer { drainEdges() }
        guard let client else { return }
        let count = oracle.goodPlaces.count
        try fleet.wait("\(count) rows at the client; it has \(client.rows.count)", seconds: 60) {
            client.rows.count >= count
        }
        report.seen = client.rows.count
        report.lives = client.subscriptions.count
        report.violations += oracle.violations(ofSeen: client.rows)
        if let crowd {
            let ends = try fleet.rows(
                "SELECT json_object_agg(id, next_offset) FROM millrace.source WHERE cluster_id = '\(cluster)'")[0]
            try crowd.finish(at: ends)
            try fleet.wait("the crowd; \(crowd.result.words)") { !crowd.isRunning }
            let (rows, words) = crowd.result
            if words != ["clients \(EdgeCrowd.count), others 0"] { report.violations.append("the crowd: \(words)") }
            report.violations += oracle.violations(ofSeen: rows).map { "the crowd: \($0)" }
            report.crowds += 1
        }
        report.violations += client.resets.map { "the client was told to start anew: \($0)" }
        client.stop()
    }

    private func drainEdges() {
        for edge in edges {
            let code = edge.drain()
            if code != ExitCode.success.rawValue { report.violations.append("an edge exited with \(code)") }
        }
    }

    private func end() throws {
        try fleet.waitForStatus("lag 0 and everything running", seconds: 90) { report in
            report.healthy && report.sources.allSatisfy { $0.lag == 0 }
        }
        fleet.signal(SIGTERM)
        let code = fleet.waitForExit()
        if code != ExitCode.success.rawValue { report.violations.append("the coordinator exited with \(code)") }
        try fleet.waitForNoWorkers()
    }
}
