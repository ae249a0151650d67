import Common
import Foundation
import Kafka

/// A private Apache Kafka broker, one node on the loopback interface. What it keeps survives the fleet.
struct EmbeddedKafka {
    let folder: ServiceFolder
    private let script: KafkaScript
    private let coordinator: String
    private var ports: [UInt16] = [0, 0]

    /// Making its files and recovering its log after a crash may take long.
    private static let startLimit = Duration.seconds(120)

    init(_ script: KafkaScript, runtimeFolder: String, coordinator: String) {
        folder = Self.folder(in: runtimeFolder)
        self.script = script
        self.coordinator = coordinator
    }

    static func folder(in runtimeFolder: String) -> ServiceFolder {
        ServiceFolder(name: "private Kafka", path: runtimeFolder + "/kafka")
    }

    /// Whether an earlier fleet left records.
    static func hasRecords(in runtimeFolder: String) -> Bool {
        FileManager.default.fileExists(atPath: folder(in: runtimeFolder).path + "/records")
    }

    /// Blocking.
    mutating func prepare(_ watch: StartWatch) throws(StartError) {
        try folder.make()
        try folder.waitUntilFree(watch)
        ports = try folder.ports(2, watch)
    }

    var command: ChildCommand {
        let keeper = Keeper(
            script.run(data: folder.path, port: ports[0], controllerPort: ports[1]),
            grace: EmbeddedServices.grace, lock: folder.lockPath)
        return .kept(keeper, coordinator: coordinator, log: folder.logPath, directory: folder.path)
    }

    /// Blocking.
    func waitUntilReady(_ process: ChildProcess, _ watch: StartWatch) throws(StartError) {
        try ServiceStart.wait(for: folder, process, "starting", limit: Self.startLimit, watch) {
            () throws(StartError) in answers
        }
    }

    private var answers: Bool {
        guard let admin = try? Admin(["bootstrap.servers": bootstrap]) else { return false }
        return admin.clusterID(timeout: .milliseconds(500)) != nil
    }

    var bootstrap: String { "127.0.0.1:\(ports[0])" }

    /// librdkafka's.
    var properties: [String: String] { ["bootstrap.servers": bootstrap, "security.protocol": "plaintext"] }

    var line: String {
        "Kafka: none is configured, so a private Apache Kafka keeps the records: \(bootstrap), in \(folder.path)"
    }
}
