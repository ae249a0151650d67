// What a record costs a worker between Kafka's message and the bytes for Postgres: decoded, encoded for COPY, with its checksum and
// its place in the transaction. No Kafka, no Postgres, one thread.
//
//     hot-path            nanoseconds of a processor a record of each kind of stream, median of 9
//     hot-path KIND N     N records of one kind and no figure: for tools that count instructions
import BenchmarkSupport
import Common
import Foundation
import JSONRecords
import Schema
import ShardWorkerCore

/// Readings by turns of 4 sources, as a worker has them.
struct HotPath: ~Copyable {
    private static let batchRowCount = 5000
    private static let sources = (1...4).map { SourceID(rawValue: $0) }

    private let schema = MillraceSchema()
    private let claim = UUIDValue(high: 1, low: 2)
    private let table: StreamTable
    private let values: [[UInt8]]
    private var batch: Batch

    init(latest: Bool) {
        var stream = BuiltInStreams.all()[0]
        stream.latest = latest
        table = StreamTable(stream, schema: schema)
        batch = Batch(stream)
        batch.isPublished = false
        values = (0..<Self.batchRowCount).map { Benchmark.reading($0) }
    }

    /// - Returns: bytes for Postgres.
    mutating func run(_ recordCount: Int) -> Int {
        var ledger = Dictionary(uniqueKeysWithValues: Self.sources.map { ($0, LedgerEntry(openedAt: 0)) })
        var byteCount = 0
        var done = 0
        while done < recordCount {
            batch.removeAll()
            for index in 0..<min(Self.batchRowCount, recordCount - done) {
                let source = Self.sources[index * Self.sources.count / Self.batchRowCount]
                values[index].withUnsafeBytes { value in
                    batch.add(
                        source: source, value: value,
                        RecordMetadata(key: nil, timestamp: 0, partition: 0, offset: Int64(done + index)))
                }
            }
            let transaction = BatchTransaction(
                batch, .init(range: 0..<batch.entries.count), claim: claim, ledger: ledger, table: table, schema: schema
            )
            ledger.merge(transaction.ledger) { $1 }
            byteCount += transaction.script.copies.reduce(0) { $0 + $1.writer.count }
            done += batch.entries.count
        }
        return byteCount
    }
}

let kinds: KeyValuePairs = ["append": false, "latest": true]
if CommandLine.arguments.count == 3, let count = Int(CommandLine.arguments[2]),
    let latest = kinds.first(where: { $0.key == CommandLine.arguments[1] })?.value
{
    var path = HotPath(latest: latest)
    exit(path.run(count) > 0 ? 0 : 1)
}
let records = 200_000
for (name, latest) in kinds {
    var path = HotPath(latest: latest)
    _ = path.run(records)
    let times = (0..<9).map { _ in
        let before = ProcessUsage.processorSeconds
        _ = path.run(records)
        return (ProcessUsage.processorSeconds - before) * 1e9 / Double(records)
    }
    print("\(name): \(Int(Benchmark.median(times))) ns a record")
}
