import Common
import JSONRecords
import Postgres
import Schema
import ShardWorkerCore
import TestSupport

/// A database with one stream's tables and sources, into which batches are written as a worker writes them.
final class BatchFixture {
    var batch: Batch
    let table: StreamTable
    let schema = MillraceSchema()
    var connection: Connection
    var ledger: [SourceID: LedgerEntry] = [:]
    private(set) var sentCount = 0
    /// BEGIN and COMMIT included.
    private(set) var statementCount = 0
    let claim = UUIDValue.random()
    /// Whether the table is taken to have no triggers.
    var isPlain = true

    /// - Parameter setUp: what the database has before the stream's tables are made.
    init(_ stream: StreamDefinition, sources: Int32 = 1, setUp: String = "") throws {
        batch = Batch(stream)
        table = StreamTable(stream, schema: schema)
        var connection = try Connection.open(parameters: TestPostgres.shared.get().makeDatabase())
        try connection.execute(setUp)
        try Migrations(schema: schema, streams: [stream]).run(on: &connection)
        try connection.execute(table.sessionSQL)
        for partition in 0..<sources {
            try connection.execute(
                """
                INSERT INTO millrace.source (stream, cluster_id, topic, partition, incarnation, start_offset, next_offset,
                    open_from) VALUES ('\(stream.name)', 'c', 't', \(partition), 1, 0, 0, 0)
                """)
            ledger[SourceID(rawValue: partition + 1)] = LedgerEntry(openedAt: 0)
        }
        let ids = (1...sources).map(String.init).joined(separator: ",")
        try connection.execute("SELECT * FROM millrace.take_claim('\(claim)', '{\(ids)}', 1)")
        self.connection = connection
    }

    func add(_ value: String?, offset: Int64, source: Int32 = 1, key: String? = nil) {
        func borrow(_ text: String?, _ body: (UnsafeRawBufferPointer?) -> Void) {
            guard var text else { return body(nil) }
            text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
        }
        borrow(value) { value in
            borrow(key) { key in
                batch.add(
                    source: SourceID(rawValue: source), value: value,
                    RecordMetadata(key: key, timestamp: 0, partition: source - 1, offset: offset))
            }
        }
    }

    func transaction(_ run: SplitRuns.Run? = nil, closing: Bool = false) -> BatchTransaction {
        BatchTransaction(
            batch, run ?? .init(range: 0..<batch.entries.count), claim: claim, ledger: ledger, isPlain: isPlain,
            closing: closing ? Set(ledger.keys) : [], table: table, schema: schema)
    }

    @discardableResult
    func commit(_ transaction: BatchTransaction) throws(PostgresError) -> [QueryResult] {
        sentCount += 1
        statementCount += transaction.script.sql.count { $0 == ";" } + 1
        let results = try connection.execute(transaction.script)
        ledger.merge(transaction.ledger) { $1 }
        return results
    }

    /// Writes the whole batch, in halves where some row is refused, as the loop does.
    func commitSplitting() throws {
        var runs = SplitRuns(0..<batch.entries.count)
        while let run = runs.next {
            let transaction = transaction(run)
            if let refusal = transaction.refusal, runs.split(because: refusal) { continue }
            do throws(PostgresError) {
                try commit(transaction)
                runs.finish()
            } catch {
                if error.disposition == .tableChanged, isPlain {
                    isPlain = false
                    continue
                }
                guard error.disposition == .record, runs.split(because: error) else { throw error }
            }
        }
        batch.removeAll()
    }

    func rows(_ sql: String) throws -> [String] {
        let result = try connection.execute(sql)[0]
        return (0..<result.rowCount).map { row in
            (0..<result.columnCount).map { result.text(row, $0) ?? "-" }.joined(separator: "|")
        }
    }
}
