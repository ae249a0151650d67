import BenchmarkSupport
import Common
import JSONRecords
import Schema
import ShardWorkerCore

/// Readings by turns of 4 sources, as a worker has them.
struct WorkerPath: ~Copyable {
    private static let batchRowCount = 5000
    private static let sources = (1...4).map { SourceID(rawValue: $0) }

    private let schema = MillraceSchema()
    private let claim = UUIDValue(high: 1, low: 2)
    private let table: StreamTable
    private let values: [[UInt8]]
    private var batch: Batch

    /// - Parameter isPublished: whether somebody is subscribed, so that rows are built as feed messages too.
    init(latest: Bool = false, isPublished: Bool = false) {
        var stream = BuiltInStreams.all()[0]
        stream.latest = latest
        table = StreamTable(stream, schema: schema)
        batch = Batch(stream)
        batch.isPublished = isPublished
        values = (0..<Self.batchRowCount).map { Benchmark.reading($0) }
    }

    /// - Returns: bytes for Postgres and for who is subscribed.
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
            if batch.isPublished { byteCount += batch.feedParts(transaction).reduce(0) { $0 + $1.rows.count } }
            done += batch.entries.count
        }
        return byteCount
    }
}
