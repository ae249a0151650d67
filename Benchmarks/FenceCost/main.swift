// What fence and ledger cost: decoded records into Postgres over four connections, as four shards do, with the whole
// transaction and with its fence taken out, by turns in one run. Postgres with fsync. The ledger's checksums can't be
// taken out of the decoder, so they are timed by themselves and counted as part of the cost.
//
//     RECORDS (400000)  ROUNDS (5)
import Common
import Foundation
import JSONRecords
import Postgres
import Schema
import ShardWorkerCore
import TestSupport

setenv("MILLRACE_TEST_FSYNC", "on", 1)
func setting(_ name: String, _ fallback: Int) -> Int {
    ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? fallback
}
let records = setting("RECORDS", 400_000)
let rounds = setting("ROUNDS", 5)
let connections = 4
let schema = MillraceSchema()
let stream = {
    var stream = BuiltInStreams.all()[0]
    stream.latest = false
    return stream
}()
let table = StreamTable(stream, schema: schema)
let database = try TestPostgres.shared.get().makeDatabase()

let values = (0..<1000).map { index in
    Array(
        """
        {"timestamp":"2026-11-23T18:26:01.\(100_000 + index)Z","stream_id":"12345678-0000-4000-8000-0000000\(10_000 + index % 500)",\
        "location":"Ring road, kilometre \(index % 97)","longitude":\(13.0 + Double(index % 1000) / 1000),\
        "latitude":\(52.0 + Double(index % 777) / 1000),"numbers_of_cars":\(index % 120),"label":"heavy","type":"camera"}
        """.utf8)
}

func execute(_ sql: String) throws {
    var connection = try Connection.open(parameters: database)
    try connection.execute(sql)
}

/// One shard's part: decode, one transaction a batch. The fence is the script's second statement.
func load(_ source: Int32, claim: UUIDValue, count: Int, rowsPerBatch: Int, fenced: Bool) throws {
    var connection = try Connection.open(parameters: database)
    try connection.execute("SET synchronous_commit = on")
    let id = SourceID(rawValue: source)
    let batch = Batch(stream)
    var ledger = [id: LedgerEntry(openedAt: 0)]
    for start in stride(from: 0, to: count, by: rowsPerBatch) {
        batch.removeAll()
        for offset in start..<min(start + rowsPerBatch, count) {
            values[offset % values.count].withUnsafeBytes { value in
                batch.add(
                    source: id, value: value,
                    RecordMetadata(key: nil, timestamp: nil, partition: source, offset: Int64(offset)))
            }
        }
        let transaction = BatchTransaction(
            batch, 0..<batch.entries.count, claim: claim, ledger: ledger, table: table, schema: schema)
        var script = transaction.script
        if !fenced {
            let from = script.sql.range(of: "SELECT \(schema.name).fence(")!.lowerBound
            let to = script.sql.range(of: ";", range: from..<script.sql.endIndex)!.upperBound
            script.sql.removeSubrange(from..<to)
        }
        try connection.execute(script)
        ledger = transaction.ledger
    }
}

func measure(rowsPerBatch: Int, fenced: Bool) throws -> Double {
    try execute("TRUNCATE traffic_data; DELETE FROM millrace.source; CHECKPOINT")
    let claim = UUIDValue.random()
    for source in 0..<connections {
        try execute(
            """
            INSERT INTO millrace.source (id, stream, cluster_id, topic, partition, incarnation, start_offset, next_offset,
                open_from, claim) OVERRIDING SYSTEM VALUE VALUES (\(source + 1), 'traffic_data', 'c', 't', \(source), 1, 0, 0, 0,
                '\(claim)')
            """)
    }
    let duration = ContinuousClock().measure {
        DispatchQueue.concurrentPerform(iterations: connections) { index in
            do {
                try load(
                    Int32(index + 1), claim: claim, count: records / connections, rowsPerBatch: rowsPerBatch, fenced: fenced)
            } catch { fatalError("\(error)") }
        }
    }
    var connection = try Connection.open(parameters: database)
    let stored = try connection.execute("SELECT count(*) FROM traffic_data")[0].integer(0, 0)!
    precondition(stored == records / connections * connections, "\(stored) rows are stored")
    return duration / .seconds(1)
}

var setup = try Connection.open(parameters: database)
try Migrations(schema: schema, streams: [stream]).run(on: &setup)

/// Of all records, on as many threads.
let checksums = ContinuousClock().measure {
    DispatchQueue.concurrentPerform(iterations: connections) { _ in
        var sum: UInt64 = 0
        for offset in 0..<(records / connections) {
            values[offset % values.count].withUnsafeBytes { value in
                sum &+= RecordChecksum.of(offset: Int64(offset), key: nil, value: value)
            }
        }
        precondition(sum != 0)
    }
} / .seconds(1)
print(String(format: "checksums of %d records: %.3f s", records, checksums))

for rowsPerBatch in [5000, 500] {
    var with: [Double] = []
    var without: [Double] = []
    _ = try measure(rowsPerBatch: rowsPerBatch, fenced: true)
    for _ in 0..<rounds {
        with.append(try measure(rowsPerBatch: rowsPerBatch, fenced: true))
        without.append(try measure(rowsPerBatch: rowsPerBatch, fenced: false))
    }
    func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
    let (whole, bare) = (median(with), median(without) - checksums)
    print(
        String(
            format: "%d rows a batch, %d rounds: with %.0f rows/s, without %.0f rows/s (medians; %@ and %@ s): cost %.1f %%",
            rowsPerBatch, rounds, Double(records) / whole, Double(records) / bare,
            with.map { String(format: "%.2f", $0) }.joined(separator: " "),
            without.map { String(format: "%.2f", $0) }.joined(separator: " "), (whole - bare) / bare * 100))
}
