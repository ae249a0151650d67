import Common
import Foundation
import Postgres
import TestSupport

/// Coordinators of one group that have the records between them, all on this machine: what more hosts cost.
struct Hosts {
    var count: Int
    /// Of each.
    var shards: Int32

    private static let idleSeconds = 10.0
    /// Of a partition, at a time.
    private static let chunk = 50_000

    func run(_ arena: Arena) throws -> Measured {
        try arena.withDatabase { database in
            try arena.withFolder { folder in
                let topic = try arena.kafka.makeTopic(partitions: Int32(arena.load.partitions))
                let producer = try TransactionalProducer(arena.kafka)
                // Nobody sees a record before each host has its share.
                try producer.begin()
                try fill(topic, producer, arena.load)
                let folders = (0..<count).map { "\(folder)/\($0)" }
                var fleet = Fleet.append()
                var processes: [Process] = []
                defer {
                    for process in processes { kill(process.processIdentifier, SIGTERM) }
                    for process in processes { process.waitUntilExit() }
                }
                for (number, folder) in folders.enumerated() {
                    fleet.group = ("bench-\(topic)", "host-\(number)")
                    processes.append(try fleet.process(arena, database, folder, shards: shards, topic: topic))
                }
                try fleet.wait(for: "shares") { try hasShares(folders[0], arena.load.partitions) }
                var idle = try idleFigures()
                try producer.commit()
                var connection = try Connection.open(parameters: database)
                var measured = try fleet.storing(arena.load.records, &connection)
                try arena.load.check(fleet.stream.table, &connection)
                idle["most MB of a coordinator"] = ProcessTree.mostMegabytes(Self.coordinator)
                measured.figures = idle
                return measured
            }
        }
    }

    /// As the kernel shortens it.
    private static let coordinator = "fleet-under-tes"

    private func fill(_ topic: String, _ producer: TransactionalProducer, _ load: Load) throws {
        var waiting: [Int: [(key: String?, value: String?)]] = [:]
        func send(_ partition: Int) throws {
            try producer.produce(waiting.removeValue(forKey: partition) ?? [], to: topic, partition: Int32(partition))
        }
        for index in 0..<load.records {
            let (partition, value) = load.record(index)
            waiting[partition, default: []].append((nil, String(decoding: value, as: UTF8.self)))
            if waiting[partition]!.count == Self.chunk { try send(partition) }
        }
        for partition in waiting.keys.sorted() { try send(partition) }
    }

    private func hasShares(_ folder: String, _ partitions: Int) throws -> Bool {
        guard FileManager.default.fileExists(atPath: "\(folder)/control/coordinator"),
            case .status(let report)? = try Fleet.ask(folder, .status), report.sources.count == partitions,
            report.sources.allSatisfy({ $0.state == "running" })
        else { return false }
        let shares = (report.hosts ?? []).map(\.partitions)
        return shares.count == count && shares.max()! - shares.min()! <= 1
    }

    /// While there is nothing to do: how much of one core each kind of program takes, as a percentage.
    private func idleFigures() throws -> [String: Double] {
        let before = ProcessorTime.now
        // What is measured is this time.
        Thread.sleep(forTimeInterval: Self.idleSeconds)
        let after = ProcessorTime.now
        var figures: [String: Double] = [:]
        for (name, title) in [
            (Self.coordinator, "coordinators"), ("shard-worker", "workers"), ("postgres", "Postgres"),
        ] {
            let seconds = (after.seconds[name] ?? 0) - (before.seconds[name] ?? 0)
            figures["idle \(title), % of a core"] = (seconds / Self.idleSeconds * 1000).rounded() / 10
        }
        return figures
    }
}
