import Common
import Foundation
import TestSupport
import Testing

/// One run of a fleet under random faults, the same for the same seed: real processes, broker and Postgres.
///
/// Used from one thread.
final class FaultRun {
    enum Fault: String, CaseIterable {
        case killWorker, stopWorker, killCoordinator, terminateBackends, crashPostgres, crashBroker, scale
    }

    private static let partitions: Int32 = 8
    private var random: SeededGenerator
    private let mode: StreamMode
    private let fleet: Fleet
    private let kafka: TestKafka
    private let server: TestPostgres
    private let listener: FeedListener
    private var stopped: [Int32] = []
    private var produced = [Int](repeating: 0, count: Int(partitions))
    private var poison: [Set<Int>] = .init(repeating: [], count: Int(partitions))
    private(set) var injected: [Fault: Int] = [:]

    /// Even seeds append, odd ones add up.
    init(seed: UInt64, kafka: TestKafka, server: TestPostgres) throws {
        random = SeededGenerator(seed: seed)
        mode = seed % 2 == 0 ? .append : .increment
        let columns = [Column("k", .text, required: true), Column("n", .bigint, required: true)]
        let stream = StreamDefinition(
            name: "events", topics: [], mode: mode, key: mode == .append ? [] : ["k"],
            increments: mode == .append ? [] : ["n"], columns: columns)
        self.kafka = kafka
        self.server = server
        fleet = try Fleet(stream, partitions: Self.partitions, kafka: kafka, server: server)
        let folder = fleet.folder
        listener = try FeedListener(
            stream.name, endpoints: (0..<5).map { "ipc://\(folder)/control/feed-\($0)" })
    }

    private func produce() throws {
        for partition in 0..<Self.partitions {
            let index = Int(partition)
            let values = (0..<Int.random(in: 50...400, using: &random)).map { _ in
                defer { produced[index] += 1 }
                guard Int.random(in: 0..<100, using: &random) > 0 else {
                    poison[index].insert(produced[index])
                    return "poison"
                }
                return #"{"k":"key \#(produced[index] % 13)","n":\#(produced[index])}"#
            }
            try kafka.produce(values, to: fleet.topic, partition: partition)
        }
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
        case .killCoordinator:
            fleet.signal(SIGKILL)
            _ = fleet.waitForExit()
            // A stopped worker can't notice that its parent is gone.
            wakeStopped()
            try fleet.launch(shards: Int32.random(in: 1...4, using: &random))
        case .terminateBackends:
            _ = try? fleet.rows(
                "SELECT pg_terminate_backend(backend_pid) FROM millrace.source WHERE backend_pid IS NOT NULL")
        case .crashPostgres:
            try server.crash()
            if Bool.random(using: &random) { try produce() }
            try server.revive()
        case .crashBroker:
            try kafka.crash()
            try kafka.revive()
        case .scale:
            guard case .done? = try fleet.ask(.scale(shards: Int32.random(in: 1...5, using: &random))) else { return }
        }
        injected[fault, default: 0] += 1
    }

    private func wakeStopped() {
        for pid in stopped { kill(pid, SIGCONT) }
        stopped.removeAll()
    }

    /// Runs under `faults` faults and checks what must hold afterwards.
    func run(faults: Int, sourceLocation: SourceLocation = #_sourceLocation) throws {
        try fleet.launch(shards: 3)
        try fleet.waitForStatus("a worker") { $0.shards.contains { $0.state == "running" } }
        for _ in 0..<faults {
            try produce()
            try inject(Fault.allCases.randomElement(using: &random)!)
            try listener.collect()
            if Int.random(in: 0..<3, using: &random) == 0 { wakeStopped() }
        }
        wakeStopped()
        try produce()
        let total = produced.reduce(0, +)
        try fleet.wait("\(total) records; \((try? fleet.stored()) ?? -1) are stored", seconds: 180) {
            (try? fleet.stored()) ?? 0 >= Int64(total)
        }
        try expectOracle(sourceLocation)
        try expectFeed(sourceLocation)
        try fleet.expectProven(sourceLocation: sourceLocation)
        try fleet.waitForStatus("lag 0 and everything running", seconds: 90) { report in
            report.healthy && report.sources.allSatisfy { $0.lag == 0 }
        }
        fleet.signal(SIGTERM)
        #expect(fleet.waitForExit() == ExitCode.success.rawValue, sourceLocation: sourceLocation)
        try fleet.waitForNoWorkers()
    }

    /// What was published had been committed, and was published once.
    private func expectFeed(_ sourceLocation: SourceLocation) throws {
        try listener.collect()
        #expect(listener.twice == [], sourceLocation: sourceLocation)
        #expect(listener.published.count > 0, sourceLocation: sourceLocation)
        guard mode == .append else { return }
        let stored = Set(try fleet.rows("SELECT source_id, source_offset FROM events"))
        #expect(listener.published.subtracting(stored) == [], sourceLocation: sourceLocation)
    }

    private func expectOracle(_ sourceLocation: SourceLocation) throws {
        let dead = try fleet.rows(
            "SELECT partition, source_offset FROM millrace.dead_letter JOIN millrace.source s ON s.id = source_id ORDER BY 1, 2"
        )
        let expectedDead = poison.enumerated().flatMap { partition, offsets in
            offsets.sorted().map { "\(partition)|\($0)" }
        }
        #expect(dead == expectedDead, sourceLocation: sourceLocation)
        let good = produced.enumerated().map { partition, count in
            (0..<count).filter { !poison[partition].contains($0) }
        }
        if mode == .append {
            let stored = try fleet.rows(
                """
                SELECT partition, count(*), sum(n), bool_and(n = source_offset) FROM events
                JOIN millrace.source s ON s.id = source_id GROUP BY 1 ORDER BY 1
                """)
            let expected = good.enumerated().map { "\($0)|\($1.count)|\($1.reduce(0, +))|t" }
            #expect(stored == expected, sourceLocation: sourceLocation)
        } else {
            var sums: [String: Int] = [:]
            for number in good.joined() { sums["key \(number % 13)", default: 0] += number }
            let stored = try fleet.rows("SELECT k, n FROM events ORDER BY k COLLATE \"C\"")
            #expect(
                stored == sums.sorted { $0.key < $1.key }.map { "\($0.key)|\($0.value)" },
                sourceLocation: sourceLocation)
        }
    }

    var summary: String {
        let faults = Fault.allCases.map { "\($0.rawValue) \(injected[$0] ?? 0)" }.joined(separator: ", ")
        let dead = poison.reduce(0) { $0 + $1.count }
        return "\(mode.rawValue): \(produced.reduce(0, +)) records, \(dead) dead letters, "
            + "\(listener.published.count) rows heard live; \(faults)"
    }
}
