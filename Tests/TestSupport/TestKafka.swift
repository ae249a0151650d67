internal import Foundation
internal import Kafka

/// An Apache Kafka broker for the tests of this process.
///
/// Found through KAFKA_HOME, or in `shared/kafka` beside the checkout.
package final class TestKafka: Sendable {
    package static let shared = Result { try TestKafka() }

    package let bootstrap: String
    private let service: KeptService

    private init() throws {
        let home = try Self.home()
        let data = try shell("mktemp -d /tmp/millrace-kafka-XXXXXX")
        service = try KeptService(
            start: "\(home)/bin/kafka start --data \(data)",
            stop: "wait $server; \(home)/bin/kafka kill --data \(data); rm -rf \(data)")
        let deadline = ContinuousClock.now + .seconds(90)
        while true {
            if let status = try? shell("\(home)/bin/kafka status --data \(data)"),
                let address = status.split(separator: " ").first,
                let admin = try? Admin(["bootstrap.servers": String(address)]),
                admin.clusterID(timeout: .seconds(1)) != nil
            {
                bootstrap = String(address)
                return
            }
            guard ContinuousClock.now < deadline else {
                throw ShellFailure(command: "start Kafka", output: (try? shell("tail -n 20 \(data)/broker.log")) ?? "")
            }
            Thread.sleep(forTimeInterval: 0.1)
        }
    }

    private static func home() throws -> String {
        if let home = ProcessInfo.processInfo.environment["KAFKA_HOME"], !home.isEmpty { return home }
        let beside = besideCheckout
        guard FileManager.default.isExecutableFile(atPath: beside + "/bin/kafka") else {
            throw ShellFailure(
                command: "find Kafka", output: "set KAFKA_HOME to an Apache Kafka distribution with bin/kafka")
        }
        return beside
    }

    package static var besideCheckout: String {
        let checkout = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return checkout.deletingLastPathComponent().appending(path: "shared/kafka").path
    }

    package var configuration: [String: String] { ["bootstrap.servers": bootstrap] }

    /// A topic of its own for a test.
    package func makeTopic(partitions: Int32 = 1, configuration extra: [String: String] = [:]) throws -> String {
        let name = "test-\(UUID().uuidString.lowercased())"
        try Admin(configuration).createTopic(name, partitions: partitions, configuration: extra)
        return name
    }

    /// Records with the given values in one partition, acknowledged.
    package func produce(_ values: [[UInt8]?], key: [UInt8]? = nil, to topic: String, partition: Int32 = 0) throws {
        let producer = try Producer(configuration.merging(["message.max.bytes": "4000000"]) { $1 })
        for value in values {
            while !(try producer.produce(topic: topic, partition: partition, key: key, value: value)) {
                producer.poll(.milliseconds(10))
            }
        }
        try producer.flush()
    }

    package func produce(_ values: [String], key: String? = nil, to topic: String, partition: Int32 = 0) throws {
        try produce(values.map { Array($0.utf8) }, key: key.map { Array($0.utf8) }, to: topic, partition: partition)
    }
}
