import Common
import CoordinatorCore
import Foundation
import Kafka
import Postgres
import TestSupport
import Testing
import ZeroMQ

/// A coordinator process with its workers, a database and topics of its own. Used from one thread.
final class Fleet {
    var stream: StreamDefinition
    let topic: String
    let partitions: Int32
    let kafka: TestKafka
    let folder: String
    var kafkaConfiguration: [String: String]
    var postgres: [String: String]
    private var database: Connection?
    private var process: Process?
    private let context = Context()
    static let binaries = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()

    /// - Parameters:
    ///   - other: the fleet whose topic and database to use.
    ///   - kafka: a broker other than the one that tests share; likewise `server`.
    init(
        _ stream: StreamDefinition, partitions: Int32, sharing other: Fleet? = nil, kafka: TestKafka? = nil,
        server: TestPostgres? = nil
    ) throws {
        self.kafka = try kafka ?? TestKafka.shared.get()
        topic = try other?.topic ?? self.kafka.makeTopic(partitions: partitions)
        self.partitions = partitions
        var stream = stream
        stream.topics = [topic]
        self.stream = stream
        kafkaConfiguration = self.kafka.configuration
        let postgres = try other?.postgres ?? (server ?? TestPostgres.shared.get()).makeDatabase()
        self.postgres = postgres
        folder = "/tmp/mr-\(UUID().uuidString.prefix(8))"
    }

    deinit {
        if let process, process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process?.waitUntilExit()
        // What a failed test leaves behind: workers are told apart by their control socket.
        for pid in workerPIDs() { kill(pid, SIGKILL) }
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func makeProcess(shards: Int32) throws -> Process {
        let settings = FleetSettings(
            shards: shards, stream: stream, kafka: kafkaConfiguration, postgres: postgres, folder: folder,
            binaries: Self.binaries)
        return try settings.process(binaries: Self.binaries)
    }

    /// - Parameter preload: a library that the coordinator's and the workers' processes load first.
    func launch(shards: Int32, preload: String? = nil) throws {
        let process = try makeProcess(shards: shards)
        process.environment?["LD_PRELOAD"] = preload
        try process.run()
        self.process = process
    }

    /// For a start that fails: its exit code and what it says.
    func launchFailing() throws -> (code: Int32, text: String) {
        let process = try makeProcess(shards: 1)
        let output = Pipe()
        process.standardError = output
        try process.run()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text)
    }

    var pid: Int32 { process!.processIdentifier }

    func signal(_ number: Int32) { kill(pid, number) }

    func waitForExit() -> Int32 {
        process!.waitUntilExit()
        return process!.terminationStatus
    }

    /// Asks the coordinator, waiting at most a second for its answer.
    func ask(_ request: CommandRequest) throws -> CommandReply? {
        let socket = try Socket(.dealer, in: context)
        try socket.connect("ipc://\(folder)/control/coordinator")
        _ = try socket.send([try ControlEnvelope.encode(request)])
        var poller = Poller()
        poller.add(socket)
        try poller.wait(.seconds(1))
        guard let parts = try socket.receive() else { return nil }
        return ControlEnvelope<CommandReply>.decode(parts[0])
    }

    func status() throws -> StatusReport? {
        if case .status(let report)? = try ask(.status) { report } else { nil }
    }

    /// Waits until the status is as wanted.
    @discardableResult
    func waitForStatus(_ what: String, seconds: Double = 60, _ isAsWanted: (StatusReport) -> Bool) throws
        -> StatusReport
    {
        var last: StatusReport?
        var found: StatusReport?
        try wait("status: \(what); last: \(String(describing: last))", seconds: seconds) {
            last = try status()
            if let last, isAsWanted(last) { found = last }
            return found != nil
        }
        return found!
    }

    func wait(_ what: @autoclosure () -> String, seconds: Double = 120, until isDone: () throws -> Bool) throws {
        let deadline = Date.now + seconds
        while !(try isDone()) {
            try #require(Date.now < deadline, "not within \(seconds) s: \(what())")
            Thread.sleep(forTimeInterval: 0.05)
        }
    }

    /// On a connection that is made again when the last statement failed: the server may have crashed.
    @discardableResult
    func execute(_ sql: String) throws -> [QueryResult] {
        var connection =
            if let database = database.take() { database } else { try Connection.open(parameters: postgres) }
        let results = try connection.execute(sql)
        database = consume connection
        return results
    }

    func rows(_ sql: String) throws -> [String] {
        let result = try execute(sql)[0]
        return (0..<result.rowCount).map { row in
            (0..<result.columnCount).map { result.text(row, $0) ?? "-" }.joined(separator: "|")
        }
    }

    func stored() throws -> Int64 {
        guard try rows("SELECT to_regclass('millrace.source')") != ["-"] else { return 0 }
        return Int64(try rows("SELECT coalesce(sum(next_offset - start_offset), 0) FROM millrace.source")[0])!
    }

    func waitForRecords(_ count: Int64, seconds: Double = 120) throws {
        try wait("\(count) records; \((try? stored()) ?? -1) are stored", seconds: seconds) { try stored() >= count }
    }

    /// Rows, positions and ledger are exactly what was produced: n of `0..<perPartition` in each partition.
    func expectExact(perPartition: Int, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let stored = try rows(
            """
            SELECT partition, count(*), count(DISTINCT source_offset), sum(n), bool_and(n = source_offset)
            FROM \(stream.table) JOIN millrace.source ON id = source_id GROUP BY partition ORDER BY partition
            """)
        let sum = perPartition * (perPartition - 1) / 2
        #expect(
            stored == (0..<partitions).map { "\($0)|\(perPartition)|\(perPartition)|\(sum)|t" },
            sourceLocation: sourceLocation)
        let ledger = try rows(
            """
            SELECT sum(records), sum(rows), sum(dead), bool_and(records = rows + dead + skipped) FROM (
                SELECT records, rows, dead, skipped FROM millrace.ledger UNION ALL
                SELECT open_records, open_rows, open_dead, open_skipped FROM millrace.source) AS entries
            """)
        let total = perPartition * Int(partitions)
        #expect(ledger == ["\(total)|\(total)|0|t"], sourceLocation: sourceLocation)
    }

    /// What `verify --deep` finds: nothing but proof.
    func expectProven(sourceLocation: SourceLocation = #_sourceLocation) throws {
        for finding in try verify(deep: true) {
            #expect(finding.breaks == [] && finding.notComparable == [], sourceLocation: sourceLocation)
        }
    }

    func verify(deep: Bool) throws -> [Verification.Finding] {
        var verification = try Verification(
            CoordinatorConfiguration(
                shards: 1, streams: [stream], kafka: kafkaConfiguration, postgres: postgres, runtimeFolder: folder,
                workerExecutable: ""))
        return try verification.run(deep: deep)
    }

    /// Worker processes of this fleet, found by what their environment says.
    func workerPIDs() -> [Int32] {
        let needle = Data("MILLRACE_CONTROL=ipc://\(folder)/control/coordinator".utf8)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { Int32($0) }.filter { pid in
            guard let environment = try? Data(contentsOf: URL(filePath: "/proc/\(pid)/environ")) else { return false }
            return environment.range(of: needle) != nil
        }
    }

    func waitForNoWorkers(seconds: Double = 20) throws {
        try wait("no worker; \(workerPIDs()) are there", seconds: seconds) { workerPIDs().isEmpty }
    }
}
