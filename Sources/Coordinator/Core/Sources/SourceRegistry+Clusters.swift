import Common
import Glibc
import Kafka
import Postgres

/// Which cluster it is, and what is to be there.
extension SourceRegistry {
    private static let newTopicLimit = Duration.seconds(15)
    private static let newTopicMicroseconds: UInt32 = 20_000

    /// What Kafka says now. Makes the topics that are missing, on a cluster where they are ours to make.
    func look() throws(KafkaError) -> ClusterView {
        let topics = configuration.streams.flatMap(\.topics)
        let view = try ClusterView.look(configuration.kafka, topics)
        let missing = topics.filter { view.counts[$0] == nil }
        guard let partitions = configuration.createdPartitions, !missing.isEmpty else { return view }
        for topic in missing { try view.admin.createTopic(topic, partitions: partitions) }
        let deadline = ContinuousClock.now + Self.newTopicLimit
        while true {
            let view = try ClusterView.look(configuration.kafka, topics)
            if missing.allSatisfy({ view.counts[$0] == partitions }) { return view }
            guard ContinuousClock.now < deadline else {
                throw KafkaError(
                    operation: "make topics", code: -185,
                    message: "\(missing.sorted().joined(separator: ", ")) did not appear")
            }
            // The brokers hear of new topics one after another, and none tells when: they are asked again.
            usleep(Self.newTopicMicroseconds)
        }
    }

    /// Those that were known last, when Kafka can't be asked or is another one.
    mutating func addKnown(
        _ cluster: String, withheld: SourceHold? = nil, to found: inout Found
    ) throws(PostgresError) {
        for stream in configuration.streams {
            for topic in stream.topics {
                for (partition, row) in try rows(of: topic, cluster: cluster, id: nil) {
                    var entry = entry(row, stream.name, TopicPartition(topic, partition))
                    entry.hold = entry.hold ?? withheld
                    found.entries.append(entry)
                }
            }
            try addReplays(of: stream.name, to: &found)
        }
    }
}
