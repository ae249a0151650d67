import Common
import Foundation
import Kafka
import Postgres
import Schema
import TestSupport
import Testing
import ZeroMQ

/// Real shard workers with a database, topics and a control socket of their own, in the hands of a test.
///
/// Used from one thread.
final class WorkerFleet {
    let stream: StreamDefinition
    let topic: String
    let partitions: Int32
    let kafka: TestKafka
    let schema = MillraceSchema()
    var database: Connection
    private(set) var messages: [(shard: Int32, WorkerMessage)] = []
    private let parameters: [String: String]
    /// Between workers and Postgres; the test's own connection is direct.
    let proxy: TCPProxy?
    private let folder: URL
    private let context = Context()
    private let router: Socket
    private var workers: [Int32: (process: Process, input: Pipe)] = [:]
    private var generation: Int64 = 0

    /// - Parameters:
    ///   - topicConfiguration: of the fleet's topic.
    ///   - isProxied: workers reach Postgres through `proxy`.
    init(
        _ stream: StreamDefinition, partitions: Int32 = 1, topicConfiguration: [String: String] = [:],
        isProxied: Bool = false
    ) throws {
        kafka = try TestKafka.shared.get()
        let server = try TestPostgres.shared.get()
        proxy = isProxied ? try TCPProxy(to: server.socketPath) : nil
        topic = try kafka.makeTopic(partitions: partitions, configuration: topicConfiguration)
        self.partitions = partitions
        var stream = stream
        stream.topics = [topic]
        self.stream = stream
        let direct = try server.makeDatabase()
        parameters = proxy?.parameters(direct) ?? direct
        var database = try Connection.open(parameters: direct)
        try Migrations(schema: schema, streams: [stream]).run(on: &database)
        let cluster = try #require(try Admin(kafka.configuration).clusterID())
        for partition in 0..<partitions {
            try database.execute(
                """
                INSERT INTO millrace.source (stream, cluster_id, topic, partition, incarnation, start_offset, next_offset,
                    open_from) VALUES ('\(stream.name)', '\(cluster)', '\(topic)', \(partition), 1, 0, 0, 0)
                """)
        }
        self.database = database
        folder = FileManager.default.temporaryDirectory.appending(path: "mr-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let router = try Socket(.router, in: context)
        try router.bind("ipc://\(folder.path)/control")
        self.router = router
    }

    deinit {
        for worker in workers.values where worker.process.isRunning { kill(worker.process.processIdentifier, SIGKILL) }
        for worker in workers.values { worker.process.waitUntilExit() }
        proxy?.stop()
        try? FileManager.default.removeItem(at: folder)
    }

    var allSources: [SourceID] { (1...partitions).map { SourceID(rawValue: $0) } }

    /// Where the workers' feeds are.
    var feedFolder: String { folder.path }

    func feedEndpoint(_ shard: Int32) -> String { "ipc://\(feedFolder)/feed-\(shard)" }

    func subscriber(_ shard: Int32) throws -> Socket {
        let socket = try Socket(.subscriber, in: context, highWaterMark: 100_000)
        try socket.connect(feedEndpoint(shard))
        try socket.subscribe(FeedMessage.topic(stream.name))
        return socket
    }

    /// Starts a worker and answers its hello.
    ///
    /// - Parameters:
    ///   - atOnce: sources to assign so that the worker finds both messages waiting.
    ///   - postgres: another server than the fleet's.
    func start(
        _ shard: Int32, batchRowLimit: Int = 5000, assigning atOnce: [SourceID] = [], postgres: [String: String]? = nil
    ) throws {
        let process = Process()
        process.executableURL = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appending(path: "shard-worker")
        process.environment = ["MILLRACE_SHARD": String(shard), "MILLRACE_CONTROL": "ipc://\(folder.path)/control"]
        let input = Pipe()
        process.standardInput = input
        try process.run()
        try input.fileHandleForReading.close()
        workers[shard] = (process, input)
        let pid = process.processIdentifier
        try wait("hello of shard \(shard)") {
            $0.contains { if case (shard, .hello(_, pid, _)) = $0 { true } else { false } }
        }
        let configuration = WorkerConfiguration(
            streams: [stream], kafka: kafka.configuration, postgres: postgres ?? parameters,
            feedEndpoint: feedEndpoint(shard),
            batchRowLimit: batchRowLimit)
        if !atOnce.isEmpty { kill(pid, SIGSTOP) }
        try send(shard, .configure(configuration))
        if !atOnce.isEmpty {
            try assign(shard, atOnce)
            kill(pid, SIGCONT)
        }
    }

    func send(_ shard: Int32, _ message: CoordinatorMessage) throws {
        let frame = try ControlEnvelope.encode(message)
        let worker = WorkerIdentity(shard: shard, pid: workers[shard]!.process.processIdentifier)
        #expect(try router.send([Array(worker.name.utf8), frame]))
    }

    func assign(_ shard: Int32, _ sources: [SourceID]? = nil) throws {
        generation += 1
        try send(shard, .assign(generation: generation, sources: sources ?? allSources))
    }

    func signal(_ shard: Int32, _ number: Int32) {
        kill(workers[shard]!.process.processIdentifier, number)
    }

    func closeInput(_ shard: Int32) throws {
        try workers[shard]!.input.fileHandleForWriting.close()
    }

    func exitCode(_ shard: Int32) -> Int32 {
        let worker = workers.removeValue(forKey: shard)!
        worker.process.waitUntilExit()
        return worker.process.terminationStatus
    }

    /// Collects messages until they say what is waited for.
    func wait(
        _ what: String, seconds: Double = 60, until isDone: ([(shard: Int32, WorkerMessage)]) throws -> Bool
    ) throws {
        let deadline = Date.now + seconds
        while !(try isDone(messages)) {
            try #require(Date.now < deadline, "no \(what) within \(seconds) s; last: \(messages.suffix(3))")
            var poller = Poller()
            poller.add(router)
            try poller.wait(.milliseconds(20))
            while let parts = try router.receive() {
                let name = String(decoding: parts[0], as: UTF8.self)
                let message = try ControlEnvelope<WorkerMessage>.decode(parts[1])
                messages.append((try #require(WorkerIdentity(name)).shard, message))
            }
        }
    }

    /// Waits until Postgres holds the positions to which Kafka was filled.
    func waitForOffsets(_ ends: [Int64], seconds: Double = 120) throws {
        try wait("offsets \(ends)", seconds: seconds) { _ in
            try rows("SELECT next_offset FROM millrace.source ORDER BY id") == ends.map(String.init)
        }
    }

    func rows(_ sql: String) throws -> [String] {
        let result = try database.execute(sql)[0]
        return (0..<result.rowCount).map { row in
            (0..<result.columnCount).map { result.text(row, $0) ?? "-" }.joined(separator: "|")
        }
    }

    /// What must hold after anything: positions and counters agree with each other and with the table.
    func expectExact(records: Int, rows: Int, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let ledger = try self.rows(
            """
            SELECT sum(records), sum(rows), bool_and(records = rows + dead + skipped) FROM (
                SELECT records, rows, dead, skipped FROM millrace.ledger UNION ALL
                SELECT open_records, open_rows, open_dead, open_skipped FROM millrace.source) AS entries
            """)
        #expect(ledger == ["\(records)|\(rows)|t"], sourceLocation: sourceLocation)
        guard !stream.isKeyed else { return }
        let stored = try self.rows("SELECT count(*), count(DISTINCT (source_id, source_offset)) FROM \(stream.table)")
        #expect(stored == ["\(rows)|\(rows)"], sourceLocation: sourceLocation)
    }
}
