// Rows per second from Kafka into Postgres through a fleet of shards, beside COPY BINARY of the same rows from
// memory, in one run. Postgres with fsync. Prints a line a measurement.
//
//     RECORDS (1000000)  PARTITIONS (8)  SHARDS (4)  LATEST (0 or 1)
import BenchmarkSupport
import Common
import Foundation
import Postgres
import TestSupport

setenv("MILLRACE_TEST_FSYNC", "on", 1)
let records = Benchmark.setting("RECORDS", 1_000_000)
let partitions = Benchmark.setting("PARTITIONS", 8)
let shards = Benchmark.setting("SHARDS", 4)
let latest = Benchmark.setting("LATEST", 0) == 1

func seconds(_ body: () throws -> Void) rethrows -> Double {
    let duration = try ContinuousClock().measure(body)
    return Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
}

func report(_ what: String, _ time: Double, _ extra: String = "") {
    print("\(what): \(String(format: "%.2f", time)) s, \(Int(Double(records) / time)) rows/s\(extra)")
}

var stream = BuiltInStreams.all()[0]
stream.latest = latest
let kafka = try TestKafka.shared.get()
let topic = try kafka.makeTopic(partitions: Int32(partitions))
stream.topics = [topic]
let database = try TestPostgres.shared.get().makeDatabase()

let producing = try seconds { try Benchmark.produce(records, to: topic, partitions: partitions, kafka) }
report("produced", producing)

// MARK: COPY from memory

func copyBuffer(_ range: Range<Int>) -> [UInt8] {
    var writer = ByteWriter(capacity: 1 << 20)
    writer.copyStart()
    for index in range {
        writer.copyRow(fieldCount: 10)
        writer.copyField(Int64(index))
        writer.copyField(Benchmark.identifier(index))
        writer.copyField("Ring road, kilometre \(index % 97)")
        writer.copyField(13.0 + Double(index % 1000) / 1000)
        writer.copyField(52.0 + Double(index % 777) / 1000)
        writer.copyField(Int32(index % 120))
        writer.copyField(Benchmark.labels[index % 3])
        writer.copyField("camera")
        writer.copyField(Int32(index % partitions))
        writer.copyField(Int64(index / partitions))
    }
    writer.copyEnd()
    return Array(writer.bytes)
}
let rowsPerBatch = 5000
let buffers = stride(from: 0, to: records, by: rowsPerBatch).map { copyBuffer($0..<min($0 + rowsPerBatch, records)) }
for connections in [1, 2, 4] {
    var setup = try Connection.open(parameters: database)
    try setup.execute(
        """
        DROP TABLE IF EXISTS raw; CREATE TABLE raw ("timestamp" timestamptz NOT NULL, stream_id uuid NOT NULL, location text,
        longitude float8 NOT NULL, latitude float8 NOT NULL, numbers_of_cars int NOT NULL, label text, type text,
        source_id int NOT NULL, source_offset bigint NOT NULL, PRIMARY KEY (source_id, source_offset))
        """)
    let time = seconds {
        DispatchQueue.concurrentPerform(iterations: connections) { index in
            do {
                var connection = try Connection.open(parameters: database)
                for number in stride(from: index, to: buffers.count, by: connections) {
                    try connection.execute(
                        Script(
                            "BEGIN; COPY raw FROM STDIN (FORMAT binary); COMMIT", copies: [CopyData(buffers[number])]))
                }
            } catch { fatalError("\(error)") }
        }
    }
    report("COPY from memory, \(connections) connections", time)
    try setup.execute("DROP TABLE raw; CHECKPOINT")
}

// MARK: The fleet

let binaries = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
let folder = "/tmp/mr-bench-\(getpid())"
let fleet = try FleetSettings(
    shards: Int32(shards), stream: stream, kafka: kafka.configuration, postgres: database, folder: folder,
    binaries: binaries
).process(binaries: binaries)
let before = (postgres: Benchmark.processorSeconds("postgres"), broker: Benchmark.processorSeconds("kafka.Kafka"))
var connection = try Connection.open(parameters: database)
var firstRow: ContinuousClock.Instant?
var workers = 0.0
let whole = try seconds {
    try fleet.run()
    while true {
        Thread.sleep(forTimeInterval: 0.02)
        let there = try connection.execute("SELECT to_regclass('millrace.source') IS NOT NULL")[0].text(0, 0) == "t"
        guard there else { continue }
        let stored = try connection.execute("SELECT coalesce(sum(next_offset), 0) FROM millrace.source")[0].integer(
            0, 0)!
        if stored > 0, firstRow == nil { firstRow = .now }
        if stored >= records { break }
    }
}
let loading = ContinuousClock.now - firstRow!
let time = Double(loading.components.seconds) + Double(loading.components.attoseconds) / 1e18
workers = Benchmark.processorSeconds("shard-worker")
let million = Double(records) / 1e6
report(
    "Kafka to Postgres, \(shards) shards\(latest ? ", latest" : "")", time,
    " (\(String(format: "%.2f", whole)) s with start)")
print(
    String(
        format: "CPU seconds per million records: workers %.2f, Postgres %.2f, broker %.2f", workers / million,
        (Benchmark.processorSeconds("postgres") - before.postgres) / million,
        (Benchmark.processorSeconds("kafka.Kafka") - before.broker) / million))
let check = try connection.execute(
    """
    SELECT count(*), count(DISTINCT (source_id, source_offset)), (SELECT sum(open_records) FROM millrace.source)
        + (SELECT coalesce(sum(records), 0) FROM millrace.ledger), (SELECT count(*) FROM millrace.dead_letter) FROM traffic_data
    """)[0]
print(
    "rows \(check.text(0, 0)!), distinct \(check.text(0, 1)!), in the ledger \(check.text(0, 2)!), dead letters \(check.text(0, 3)!)"
)
kill(fleet.processIdentifier, SIGTERM)
fleet.waitUntilExit()
try? FileManager.default.removeItem(atPath: folder)
