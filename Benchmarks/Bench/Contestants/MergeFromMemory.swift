import BenchmarkSupport
import Common
import Dispatch
import Foundation
import JSONRecords
import Postgres
import Schema
import ShardWorkerCore
import TestSupport

/// The transactions that workers would send for a keyed stream, made before, with a fence that does nothing: what Postgres takes
/// of them on this machine.
struct MergeFromMemory {
    var stream: StreamDefinition
    var connections: Int

    private static let batchRowCount = 5000

    func run(_ arena: Arena) throws -> Measured {
        try arena.withDatabase { database in
            var fleet = Fleet()
            fleet.stream = stream
            try fleet.makeTables(arena, database)
            var setup = try Connection.open(parameters: database)
            try setup.execute(Fleet.noFence)
            // Each thread reads its own.
            nonisolated(unsafe) let scripts = (0..<connections).map { transactions(arena.load, $0) }
            let session = StreamTable(stream, schema: MillraceSchema()).sessionSQL
            let before = ProcessorTime.now
            let time = ContinuousClock().measure {
                DispatchQueue.concurrentPerform(iterations: connections) { index in
                    do {
                        var connection = try Connection.open(parameters: database)
                        try connection.execute(session)
                        for script in scripts[index] { try connection.execute(script) }
                    } catch { fatalError("\(error)") }
                }
            }
            let measured = Measured(
                value: Double(arena.load.records) / (time / .seconds(1)),
                processor: ProcessorTime.now.since(before, records: arena.load.records))
            try arena.load.check(stream.table, &setup)
            return measured
        }
    }

    /// Of the partitions that one connection has.
    private func transactions(_ load: Load, _ connection: Int) -> [Script] {
        let schema = MillraceSchema()
        let table = StreamTable(stream, schema: schema)
        let claim = UUIDValue(high: 1, low: 2)
        let sources = (0..<load.partitions).map { SourceID(rawValue: Int32($0 + 1)) }
        var ledger = Dictionary(uniqueKeysWithValues: sources.map { ($0, LedgerEntry(openedAt: 0)) })
        var offsets = Array(repeating: Int64(0), count: load.partitions)
        var batch = Batch(stream)
        var scripts: [Script] = []
        func finish() {
            let transaction = BatchTransaction(
                batch, .init(range: 0..<batch.entries.count), claim: claim, ledger: ledger, table: table, schema: schema
            )
            ledger.merge(transaction.ledger) { $1 }
            scripts.append(transaction.script)
            batch.removeAll()
        }
        for index in 0..<load.records {
            let (partition, value) = load.record(index)
            guard partition % connections == connection else { continue }
            value.withUnsafeBytes { value in
                batch.add(
                    source: sources[partition], value: value,
                    RecordMetadata(
                        key: nil, timestamp: 0, partition: Int32(partition), offset: offsets[partition]))
            }
            offsets[partition] += 1
            if batch.entries.count == Self.batchRowCount { finish() }
        }
        if !batch.isEmpty { finish() }
        return scripts
    }
}
