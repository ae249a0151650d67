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
    /// Beside it.
    var others: [StreamDefinition] = []
    let topic: String
    let partitions: Int32
    let kafka: TestKafka
    let folder: String
    /// In the configuration that commands are given.
    var controlAddress: String?
    var advertisedHost: String?
    var issuers: [ExternalIssuer]?
    var kafkaConfiguration: [String: String]
    var postgres: [String: String]
    /// KAFKA_OFFSET_RESET.
    var offsetReset: String?
    var beginsOnNewCluster = false
    /// With others that share its topic and its database.
    var group: GroupPlan?
    /// Between rounds that keep the tables in order; nil: as users have it.
    var maintenanceSeconds: Double?
    /// The host that its coordinator and workers run on; nil: this machine.
    var host: NetworkNamespace?
    /// Between the fleet's processes and Postgres; the test's own connection is direct.
    let proxy: TCPProxy?
    private var database: Connection?
    private var process: Process?
    private let context = Context()
    /// The programs that its commands are from.
    var programs = Fleet.binaries
    static let binaries = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()

    /// - Parameters:
    ///   - other: the fleet whose topic and database to use.
    ///   - kafka: a broker other than the one that tests share; likewise `server`.
    ///   - ingests: the stream also has the topic of clients without a protocol, at a broker of the test's own.
    ///   - isProxied: the fleet's processes reach Postgres through `proxy`.
    init(
        _ stream: StreamDefinition, partitions: Int32, sharing other: Fleet? = nil, kafka: TestKafka? = nil,
        server: TestPostgres? = nil, ingests: Bool = false, isProxied: Bool = false,
        topicConfiguration: [String: String] = [:]
    ) throws {
        self.kafka = try kafka ?? (ingests ? TestKafka() : TestKafka.shared.get())
        topic =
            try other?.topic
            ?? self.kafka.makeTopic(
                partitions: partitions, configuration: topicConfiguration)
        self.partitions = partitions
        var stream = stream
        stream.topics = [topic]
        if ingests {
            stream.topics.append(try self.kafka.makeTopic(BuiltInStreams.ingestTopic, partitions: 1))
        }
        self.stream = stream
        kafkaConfiguration = self.kafka.configuration
        let server = try server ?? TestPostgres.shared.get()
        postgres = try other?.postgres ?? server.makeDatabase()
        proxy = isProxied ? try TCPProxy(to: server.socketPath) : nil
        folder = "/tmp/mr-\(UUID().uuidString.prefix(8))"
    }

    deinit {
        if let process, process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process?.waitUntilExit()
        // What a failed test leaves behind: workers are told apart by their control socket.
        for pid in workerPIDs() { kill(pid, SIGKILL) }
        proxy?.stop()
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func makeProcess(shards: Int32) throws -> Process {
        var settings = FleetSettings(
            shards: shards, stream: stream, kafka: kafkaConfiguration,
            postgres: proxy?.parameters(postgres) ?? postgres, folder: folder, binaries: Self.binaries,
            offsetReset: offsetReset)
        settings.beginsOnNewCluster = beginsOnNewCluster
        settings.streams += others
        settings.group = group?.name
        settings.member = group?.member
        settings.maintenanceSeconds = maintenanceSeconds
        settings.controlAddress = controlAddress
        settings.advertisedHost = advertisedHost
        settings.prefix = host?.prefix ?? []
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

    /// Where its workers' feeds are.
    var feedFolder: String { folder + "/control" }

    func signal(_ number: Int32) { kill(pid, number) }

    func waitForExit() -> Int32 {
        process!.waitUntilExit()
        return process!.terminationStatus
    }

    /// Told to end, it does so by itself, and leaves no worker.
    func stop(sourceLocation: SourceLocation = #_sourceLocation) throws {
        signal(SIGTERM)
        #expect(waitForExit() == ExitCode.success.rawValue, sourceLocation: sourceLocation)
        try waitForNoWorkers()
    }

    /// Asks the coordinator.
    /// - Returns: nil when it has not answered in time.
    func ask(_ request: CommandRequest, within limit: Duration = .seconds(10)) throws -> CommandReply? {
        let socket = try Socket(.dealer, in: context)
        try socket.connect("ipc://\(folder)/control/coordinator")
        _ = try socket.send([try ControlEnvelope.encode(request)])
        var poller = Poller()
        poller.add(socket)
        try poller.wait(limit)
        guard let parts = try socket.receive() else { return nil }
        return try ControlEnvelope<CommandReply>.decode(parts[0])
    }

    func status(within limit: Duration = .seconds(10)) throws -> StatusReport? {
        if case .status(let report)? = try ask(.status, within: limit) { report } else { nil }
    }

    /// Waits until the status is as wanted.
    @discardableResult
    func waitForStatus(_ what: String, seconds: Double = 60, _ isAsWanted: (StatusReport) -> Bool) throws
        -> StatusReport
    {
        var last: StatusReport?
        var found: StatusReport?
        try wait("status: \(what); last: \(String(describing: last))", seconds: seconds) {
            last = try status(within: .seconds(1))
            if let last, isAsWanted(last) { found = last }
            return found != nil
        }
        return found!
    }

    /// Nothing should have ended it.
    func requireRunning() throws {
        let process = try #require(process)
        try #require(process.isRunning, "the coordinator ended by itself, with \(process.terminationStatus)")
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
