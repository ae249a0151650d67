import Common
import Kafka

/// What of Kafka would keep a fleet from reading its topics. Blocking; changes nothing.
struct KafkaCheck {
    private(set) var lines: [String] = []
    private(set) var problems: [StartError] = []
    /// Nil when it did not answer.
    private(set) var cluster: String?
    private let bootstrap: String
    private let login: String

    init(_ configuration: CoordinatorConfiguration) {
        bootstrap = configuration.kafka["bootstrap.servers"] ?? ""
        login = configuration.kafka["sasl.username"] ?? "NAME"
        do {
            try configuration.checkKafkaProperties()
            let admin = try Admin(configuration.kafka)
            let cluster = try admin.requireCluster(at: bootstrap)
            self.cluster = cluster
            lines.append("Kafka: cluster \(cluster) at \(bootstrap)")
            if !Admin.tellsTopicIDs {
                lines.append(
                    "Kafka: this librdkafka tells no topic ids (2.3 does): verify --deep after making a topic again")
            }
            // Where no broker is reached every other question would only time out.
            if try checkBrokers(admin) { try checkTopics(admin, configuration.streams) }
        } catch let error as StartError {
            problems.append(error)
        } catch {
            problems.append(StartError("Kafka: \(error)", .unavailable))
        }
    }

    private mutating func checkBrokers(_ admin: borrowing Admin) throws(KafkaError) -> Bool {
        let count = problems.count
        for broker in try admin.brokers() {
            guard let reason = Reach.problem(broker.host, broker.port) else { continue }
            problems.append(
                StartError(
                    "Kafka: broker \(broker.id) says that it is at \(broker.host):\(broker.port), which this machine can't "
                        + "reach (\(reason)); its advertised.listeners has to name an address that fleets reach",
                    .unavailable))
        }
        return problems.count == count
    }

    private mutating func checkTopics(_ admin: borrowing Admin, _ streams: [StreamDefinition]) throws(KafkaError) {
        let counts = try admin.partitionCounts()
        let missing = admin.missingRights(streams.flatMap(\.topics))
        for stream in streams {
            for topic in stream.topics {
                let lacks = missing[topic] ?? []
                if lacks.contains(.describe) || lacks.contains(.read) {
                    problems.append(
                        StartError(
                            "topic '\(topic)' of stream '\(stream.name)': this login may not read it"
                                + "\(counts[topic] == nil ? ", or there is none" : ""); \(allow("Read", topic))",
                            .configuration))
                } else if let count = counts[topic] {
                    lines.append("stream \(stream.name): topic \(topic), \(count) partitions")
                    if lacks.contains(.write) {
                        lines.append(
                            "stream \(stream.name): edges and produce may not write into topic \(topic); if they are to: "
                                + allow("Write", topic))
                    }
                } else {
                    problems.append(
                        StartError(
                            "topic '\(topic)' of stream '\(stream.name)' does not exist; make it: kafka-topics.sh "
                                + "--bootstrap-server \(bootstrap) --create --topic \(topic) --partitions 8",
                            .configuration))
                }
            }
        }
    }

    private func allow(_ operation: String, _ topic: String) -> String {
        "kafka-acls.sh --bootstrap-server \(bootstrap) --add --allow-principal User:\(login) --operation \(operation) "
            + "--topic \(topic)"
    }
}
