internal import CoordinatorCore
internal import Foundation
internal import Kafka

/// An Apache Kafka broker for the tests of this process, run by deploy/kafka/kafka.
package final class TestKafka: Sendable {
    package static let shared = Result { try TestKafka() }

    package let bootstrap: String
    package let port: UInt16
    private let script: KafkaScript
    private let server: KeptServer
    private let data: String

    /// A broker of a test's own, which it may crash.
    /// - Parameters:
    ///   - port: of one that has crashed; nil for a free one.
    ///   - properties: further ones, for its port and its controller's.
    package init(port wanted: UInt16? = nil, properties: (UInt16, UInt16) -> String? = { _, _ in nil }) throws {
        guard let script = KafkaScript(besides: KeptServer.coordinator) else {
            throw ShellFailure(command: "find deploy/kafka/kafka", output: "not above \(KeptServer.coordinator)")
        }
        if let reason = script.reasonNotToRun() { throw ShellFailure(command: "find Kafka", output: reason) }
        self.script = script
        data = try shell("mktemp -d /tmp/millrace-kafka-XXXXXX")
        let controllerPort = try FreePort.random()
        port = try wanted ?? FreePort.random()
        var words = script.run(data: data, port: port, controllerPort: controllerPort)
        if let properties = properties(port, controllerPort) {
            try properties.write(toFile: data + "/more", atomically: false, encoding: .utf8)
            words += ["--properties", data + "/more"]
        }
        server = try KeptServer(words, folder: data)
        bootstrap = "127.0.0.1:\(port)"
        try waitUntilReady()
    }

    private func waitUntilReady() throws {
        let deadline = ContinuousClock.now + .seconds(90)
        while true {
            if let admin = try? Admin(configuration), admin.clusterID(timeout: .seconds(1)) != nil { return }
            guard ContinuousClock.now < deadline, server.exit == nil else {
                throw ShellFailure(
                    command: "start Kafka", output: "\(server.exit ?? "no answer"): \(server.lastLines)")
            }
        }
    }

    /// Ends the broker at once, until `revive`.
    package func crash() throws {
        server.crash()
    }

    /// Starts it again on its port, and waits until it answers.
    package func revive() throws {
        try server.start()
        try waitUntilReady()
    }

    /// As a backup would: of a broker that has crashed.
    package func save() throws {
        try shell("rm -rf \(data).saved && cp -a \(data) \(data).saved")
    }

    /// Puts what was saved in place of what is there; of a broker that has crashed.
    package func restore() throws {
        // What a start wrote in the folder is the server's: logs of the broker's own.
        try shell("rm -rf \(data)/* && cp -a \(data).saved/. \(data)/ && rm -rf \(data).saved")
    }

    /// What Kafka's own tool says of a consumer group: `topic partition position end lag` a line, sorted.
    package func group(_ name: String) throws -> [String] {
        let text = try run("consumer-groups", "--describe --group \(name)")
        return text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
            .filter { $0.count > 5 && $0[0] == name }.map { $0[1...5].joined(separator: " ") }.sorted()
    }

    package func alter(_ topic: String, partitions: Int) throws {
        try run("topics", "--alter --topic \(topic) --partitions \(partitions)")
    }

    /// Changes properties of a topic, or of every broker.
    package func configure(topic: String? = nil, _ properties: [String: String]) throws {
        let what = topic.map { "--entity-type topics --entity-name \($0)" } ?? "--entity-type brokers --entity-default"
        let list = properties.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
        try run("configs", "--alter \(what) --add-config \(list)")
    }

    /// Where the broker has an authorizer.
    package func allow(_ user: String, _ operation: String, topic: String) throws {
        try run("acls", "--add --allow-principal User:\(user) --operation \(operation) --topic \(topic)")
    }

    package func remove(_ topic: String) throws {
        try run("topics", "--delete --topic \(topic)")
        let admin = try Admin(configuration)
        try wait("the end of \(topic)") { try admin.partitionCounts()[topic] == nil }
    }

    /// Deletes a topic, if it is there, and makes it again, empty.
    package func remake(_ topic: String, partitions: Int32) throws {
        let admin = try Admin(configuration)
        if try admin.partitionCounts()[topic] != nil { try remove(topic) }
        try admin.createTopic(topic, partitions: partitions)
        // A question can still be answered with the old topic's offsets for a moment.
        try wait("a new \(topic)") {
            try admin.partitionCounts()[topic] == partitions
                && (0..<partitions).allSatisfy { try admin.watermarks(TopicPartition(topic, $0)) == (0, 0) }
        }
    }

    private func wait(_ what: String, until isDone: () throws -> Bool) throws {
        let deadline = Date.now + 60
        while (try? isDone()) != true {
            guard Date.now < deadline else { throw ShellFailure(command: "wait for \(what)", output: "not in time") }
            Thread.sleep(forTimeInterval: 0.05)
        }
    }

    @discardableResult
    private func run(_ tool: String, _ arguments: String) throws -> String {
        try shell("\(script.path) \(tool) --bootstrap-server \(bootstrap) \(arguments)")
    }

    package var configuration: [String: String] { ["bootstrap.servers": bootstrap] }

    /// A topic of its own for a test.
    /// - Parameter name: what it is called at another broker.
    package func makeTopic(
        _ name: String? = nil, partitions: Int32 = 1, configuration extra: [String: String] = [:]
    ) throws -> String {
        let name = name ?? "test-\(UUID().uuidString.lowercased())"
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
        try producer.flush(.seconds(120))
    }

    /// Records for each partition in turn, acknowledged.
    package func produce(_ records: [Int32: [(key: String?, value: String?)]], to topic: String) throws {
        let producer = try Producer(configuration)
        for (partition, records) in records {
            for (key, value) in records {
                let (key, value) = (key.map { Array($0.utf8) }, value.map { Array($0.utf8) })
                while !(try producer.produce(topic: topic, partition: partition, key: key, value: value)) {
                    producer.poll(.milliseconds(10))
                }
            }
        }
        try producer.flush(.seconds(120))
    }

    package func produce(_ values: [String], key: String? = nil, to topic: String, partition: Int32 = 0) throws {
        try produce(values.map { Array($0.utf8) }, key: key.map { Array($0.utf8) }, to: topic, partition: partition)
    }

    /// One record with headers, acknowledged.
    package func produce(
        _ value: [UInt8], headers: [(name: String, value: [UInt8]?)], to topic: String, partition: Int32 = 0
    ) throws {
        let producer = try Producer(configuration)
        _ = try producer.produce(topic: topic, partition: partition, key: nil, value: value, headers: headers)
        try producer.flush()
    }
}
