// What fence and ledger cost: the same records from Kafka into Postgres through the same fleet, with them and without,
// by turns in one run. Postgres with fsync. Without means: the fence is a function that does nothing, so that no
// position and no ledger entry is written, and no record is hashed.
//
//     RECORDS (1000000)  PARTITIONS (8)  SHARDS (4)  ROUNDS (9)
import BenchmarkSupport
import Common
import Foundation
import Postgres
import TestSupport
import ZeroMQ

setenv("MILLRACE_TEST_FSYNC", "on", 1)
let records = Benchmark.setting("RECORDS", 1_000_000)
let partitions = Benchmark.setting("PARTITIONS", 8)
let shards = Int32(Benchmark.setting("SHARDS", 4))
let rounds = Benchmark.setting("ROUNDS", 9)
let binaries = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
let kafka = try TestKafka.shared.get()
let folder = "/tmp/mr-fence-\(getpid())"
try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
defer { try? FileManager.default.removeItem(atPath: folder) }

let topic = try kafka.makeTopic(partitions: Int32(partitions))
let stream = {
    var stream = BuiltInStreams.all()[0]
    stream.latest = false
    stream.topics = [topic]
    return stream
}()
try Benchmark.produce(records, to: topic, partitions: partitions, kafka)

/// A library that hashes nothing.
let noHash = folder + "/nohash.so"
try "unsigned long long XXH64(const void *d, unsigned long n, unsigned long long s) { return 0; }"
    .write(toFile: folder + "/nohash.c", atomically: false, encoding: .utf8)
try shell("cc -shared -fPIC -O2 -o \(noHash) \(folder)/nohash.c")

struct Measured {
    /// From the first row to the last.
    var seconds: Double
    var workerSeconds: Double
    var postgresSeconds: Double
}

func scale(_ runtimeFolder: String) throws {
    let socket = try Socket(.dealer, in: Context())
    try socket.connect("ipc://\(runtimeFolder)/control/coordinator")
    _ = try socket.send([try ControlEnvelope.encode(CommandRequest.scale(shards: shards))])
    var poller = Poller()
    poller.add(socket)
    try poller.wait(.seconds(10))
    guard let reply = try socket.receive(), ControlEnvelope<CommandReply>.decode(reply[0]) == .done else {
        throw ShellFailure(command: "scale", output: "no answer")
    }
}

/// One fleet's run over all records, into a database of its own.
func run(_ number: Int, isFenced: Bool) throws -> Measured {
    let server = try TestPostgres.shared.get()
    let database = try server.makeDatabase()
    let runtimeFolder = "\(folder)/\(number)"
    // Without a shard at first: the fence is replaced before anything is written.
    let fleet = try FleetSettings(
        shards: 0, stream: stream, kafka: kafka.configuration, postgres: database, folder: runtimeFolder,
        binaries: binaries
    ).process(binaries: binaries)
    if !isFenced { fleet.environment?["LD_PRELOAD"] = noHash }
    try fleet.run()
    defer {
        kill(fleet.processIdentifier, SIGTERM)
        fleet.waitUntilExit()
    }
    var connection = try Connection.open(parameters: database)
    while try connection.execute("SELECT to_regclass('millrace.source') IS NOT NULL")[0].text(0, 0) != "t" {
        Thread.sleep(forTimeInterval: 0.02)
    }
    while try connection.execute("SELECT count(*) FROM millrace.source")[0].integer(0, 0) != Int64(partitions) {
        Thread.sleep(forTimeInterval: 0.02)
    }
    if !isFenced {
        try connection.execute(
            """
            CREATE OR REPLACE FUNCTION millrace.fence(
                held uuid, ids int[], froms bigint[], tos bigint[], opened bigint[], records bigint[], rows_ bigint[],
                dead bigint[], skipped bigint[], checksums bigint[]) RETURNS void LANGUAGE sql AS ''
            """)
    }
    let before = Benchmark.processorSeconds("postgres")
    try scale(runtimeFolder)
    var first: ContinuousClock.Instant?
    while true {
        // The end of each source's index.
        let stored = try connection.execute(
            """
            SELECT coalesce(sum(n), 0) FROM millrace.source s, LATERAL (SELECT source_offset + 1 AS n FROM traffic_data
                WHERE source_id = s.id ORDER BY source_offset DESC LIMIT 1) AS last
            """)[0].integer(0, 0)!
        if stored > 0, first == nil { first = .now }
        if stored >= records { break }
        Thread.sleep(forTimeInterval: 0.02)
    }
    let measured = Measured(
        seconds: (.now - first!) / .seconds(1), workerSeconds: Benchmark.processorSeconds("shard-worker"),
        postgresSeconds: Benchmark.processorSeconds("postgres") - before)
    let rows = try connection.execute("SELECT count(*) FROM traffic_data")[0].integer(0, 0)!
    precondition(rows == records, "\(rows) rows are stored")
    let positions = try connection.execute("SELECT sum(next_offset) FROM millrace.source")[0].integer(0, 0)!
    precondition(positions == (isFenced ? records : 0), "the fence was not what it should have been")
    try connection.execute("DROP TABLE traffic_data; CHECKPOINT")
    return measured
}

var with: [Measured] = []
var without: [Measured] = []
_ = try run(0, isFenced: true)
for round in 0..<rounds {
    // Each goes first in every other round.
    for isFenced in [round % 2 == 0, round % 2 == 1] {
        let measured = try run(1 + 2 * round + (isFenced ? 0 : 1), isFenced: isFenced)
        if isFenced { with.append(measured) } else { without.append(measured) }
    }
    print(
        String(
            format:
                "round %d: with %.2f s, without %.2f s; CPU of workers %.2f and %.2f s, of Postgres %.2f and %.2f s",
            round + 1, with[round].seconds, without[round].seconds, with[round].workerSeconds,
            without[round].workerSeconds, with[round].postgresSeconds, without[round].postgresSeconds))
}
let pairs = zip(with, without)
func percent(_ ratios: [Double]) -> Double { (Benchmark.median(ratios) - 1) * 100 }
print(
    String(
        format: "fence and ledger, %d records, %d rounds: with %.0f rows/s, without %.0f rows/s (medians); "
            + "cost, median of the rounds' ratios: time %.1f %%, CPU of workers and Postgres %.1f %%",
        records, rounds, Double(records) / Benchmark.median(with.map(\.seconds)),
        Double(records) / Benchmark.median(without.map(\.seconds)), percent(pairs.map { $0.seconds / $1.seconds }),
        percent(
            pairs.map { ($0.workerSeconds + $0.postgresSeconds) / ($1.workerSeconds + $1.postgresSeconds) })))
