import Common
import Foundation
import Kafka

/// librdkafka's mock cluster in a child process: for machines without Java or Kafka's jars. Each life of it is another
/// cluster, on another port.
struct MockKafka {
    /// For its log alone.
    let folder: ServiceFolder
    private let coordinator: String
    private let topics: [String]
    private let partitions: Int32
    private var life = UUID().uuidString.lowercased()
    private(set) var bootstrap: String?

    private static let startLimit = Duration.seconds(30)

    init(topics: [String], partitions: Int32, runtimeFolder: String, coordinator: String) {
        folder = ServiceFolder(name: "mock Kafka", path: runtimeFolder + "/mock-kafka")
        self.topics = topics
        self.partitions = partitions
        self.coordinator = coordinator
    }

    func prepare() throws(StartError) {
        try folder.make()
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        for file in files where file.hasPrefix("address-") {
            try? FileManager.default.removeItem(atPath: "\(folder.path)/\(file)")
        }
    }

    private var addressPath: String { "\(folder.path)/address-\(life)" }

    var command: ChildCommand {
        ChildCommand(
            coordinator,
            MockKafkaProcess(addressPath: addressPath, topics: topics, partitions: partitions).arguments,
            log: folder.logPath, directory: folder.path)
    }

    /// It has ended: what comes is another cluster.
    mutating func ended() {
        life = UUID().uuidString.lowercased()
        bootstrap = nil
    }

    /// Whether it has said where it listens.
    mutating func isReady() -> Bool {
        guard bootstrap == nil else { return true }
        bootstrap = (try? String(contentsOfFile: addressPath, encoding: .utf8))?.trimmingCharacters(
            in: .whitespacesAndNewlines)
        return bootstrap != nil
    }

    /// Blocking.
    mutating func waitUntilReady(_ process: ChildProcess, _ watch: StartWatch) throws(StartError) {
        try ServiceStart.wait(for: folder, process, "starting", limit: Self.startLimit, watch) {
            () throws(StartError) in isReady()
        }
    }

    /// librdkafka's. The mock broker holds a fetch for as long as it asks, whatever comes meanwhile.
    var properties: [String: String] {
        [
            "bootstrap.servers": bootstrap ?? "", "security.protocol": "plaintext", "fetch.wait.max.ms": "20",
            Properties.mockCluster: "mock-\(life)",
        ]
    }

    /// - Parameter reason: why it is not Apache Kafka.
    func line(_ reason: String) -> String {
        "Kafka: none is configured, and \(reason), so librdkafka's mock cluster takes records: \(bootstrap ?? ""), a new "
            + "and empty one; in memory, the last 5 MB of a partition, forgotten when the fleet ends"
    }
}
