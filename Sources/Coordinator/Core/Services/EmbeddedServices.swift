import Common
import Foundation
import Kafka

/// The services that a fleet brings up before itself, where nothing says where they are.
struct EmbeddedServices {
    private(set) var postgres: EmbeddedPostgres?
    private(set) var kafka: EmbeddedKafka?
    private(set) var mock: MockKafka?
    /// Their keepers; the mock cluster's is its own process.
    private(set) var processes: [ChildName: ChildProcess] = [:]
    /// What was brought up: a line each.
    private(set) var lines: [String] = []
    private var mockReason = ""

    /// When the coordinator was killed, workers and edges still commit what they have.
    static let grace = Duration.seconds(2)
    private static let leastPartitions: Int32 = 8

    /// Nothing to bring up.
    init() {}

    /// Brings up what the plan says, and puts where it is into the configuration. Blocking.
    ///
    /// - Parameter ended: called once a process, on a thread of Foundation's.
    init(
        _ configuration: inout CoordinatorConfiguration, _ watch: StartWatch,
        ended: @escaping @Sendable (ChildName, ChildExit) -> Void
    ) throws(StartError) {
        do throws(StartError) {
            // Both begin at the same time: a JVM takes longest.
            try startKafka(configuration, watch, ended)
            try startPostgres(configuration, watch, ended)
            if let process = processes[.postgres] { try postgres?.waitUntilReady(process, watch) }
            if let process = processes[.kafka] {
                try kafka?.waitUntilReady(process, watch)
                try mock?.waitUntilReady(process, watch)
            }
        } catch {
            end()
            throw error
        }
        adopt(&configuration)
        lines = [postgres?.line, kafka?.line, mock?.line(mockReason)].compactMap { $0 }
        for line in lines { watch.say(line) }
    }

    private mutating func startKafka(
        _ configuration: CoordinatorConfiguration, _ watch: StartWatch,
        _ ended: @escaping @Sendable (ChildName, ChildExit) -> Void
    ) throws(StartError) {
        guard let kind = configuration.embedded.kafka else { return }
        let coordinator = configuration.executable("coordinator")
        let script = KafkaScript(besides: coordinator)
        let reason = kind == .mock ? "the mock cluster was asked for" : Self.reasonNotToRun(script)
        if let script, reason == nil {
            var kafka = EmbeddedKafka(script, runtimeFolder: configuration.runtimeFolder, coordinator: coordinator)
            try kafka.prepare(watch)
            self.kafka = kafka
            processes[.kafka] = try ChildProcess(kafka.command) { ended(.kafka, $0) }
            return
        }
        mockReason = reason ?? ""
        // Another cluster would end the sources of the one that is there.
        if kind == .apache || (kind == .automatic && EmbeddedKafka.hasRecords(in: configuration.runtimeFolder)) {
            throw StartError(
                "no Kafka is configured, and the private one of \(configuration.runtimeFolder) can't be run: "
                    + "\(mockReason); mend that, set KAFKA_BOOTSTRAP_SERVERS, or begin with an empty mock cluster: "
                    + "--embedded-kafka mock", .unavailable)
        }
        let mock = MockKafka(
            topics: configuration.streams.flatMap(\.topics), partitions: Self.partitions(configuration),
            runtimeFolder: configuration.runtimeFolder, coordinator: coordinator)
        try mock.prepare()
        self.mock = mock
        processes[.kafka] = try ChildProcess(mock.command) { ended(.kafka, $0) }
    }

    private static func reasonNotToRun(_ script: KafkaScript?) -> String? {
        guard let script else { return "there is no deploy/kafka/kafka beside the program" }
        return script.reasonNotToRun()
    }

    private mutating func startPostgres(
        _ configuration: CoordinatorConfiguration, _ watch: StartWatch,
        _ ended: @escaping @Sendable (ChildName, ChildExit) -> Void
    ) throws(StartError) {
        guard configuration.embedded.postgres else { return }
        var postgres = try EmbeddedPostgres(
            runtimeFolder: configuration.runtimeFolder, coordinator: configuration.executable("coordinator"))
        try postgres.prepare(watch)
        self.postgres = postgres
        processes[.postgres] = try ChildProcess(postgres.command) { ended(.postgres, $0) }
    }

    /// Enough for a few more shards.
    private static func partitions(_ configuration: CoordinatorConfiguration) -> Int32 {
        max(leastPartitions, configuration.shards)
    }

    /// Where the services are, and that their topics are ours to make.
    private func adopt(_ configuration: inout CoordinatorConfiguration) {
        if let parameters = postgres?.parameters { configuration.postgres = parameters }
        guard let properties = kafka?.properties ?? mock?.properties else { return }
        // A login for another cluster is of no use here.
        configuration.kafka = configuration.kafka.filter { !$0.key.hasPrefix("sasl.") && !$0.key.hasPrefix("ssl.") }
        configuration.kafka.merge(properties) { _, ours in ours }
        configuration.createdPartitions = Self.partitions(configuration)
    }

    // MARK: While the fleet runs

    /// The word in `status`.
    var kafkaKind: String? { kafka != nil ? "apache" : mock != nil ? "mock" : nil }

    var hasPostgres: Bool { postgres != nil }

    /// On the same port and data; a mock cluster has neither.
    func command(_ name: ChildName) -> ChildCommand? {
        switch name {
        case .kafka: kafka?.command ?? mock?.command
        case .postgres: postgres?.command
        case .edge, .producer: nil
        }
    }

    mutating func ended(_ name: ChildName) {
        if name == .kafka { mock?.ended() }
    }

    /// After a mock cluster has ended: once there is another, the properties for it.
    mutating func takeNewMock(_ configuration: CoordinatorConfiguration) -> [String: String]? {
        guard mock != nil, mock!.bootstrap == nil, mock!.isReady() else { return nil }
        var moved = configuration
        adopt(&moved)
        return moved.kafka
    }

    var newMockLine: String? { mock?.line("the one before has ended") }

    /// At once; a mock cluster ends with its input.
    static func end(_ process: ChildProcess) {
        process.signal(SIGTERM)
        process.endInput()
    }

    /// Ends them, for a start that fails. Blocking, for no longer than their keepers allow.
    func end() {
        for process in processes.values { Self.end(process) }
        for process in processes.values { process.waitForExit() }
    }
}
