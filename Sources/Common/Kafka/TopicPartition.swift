/// A partition of a topic, by name and number.
package struct TopicPartition: Hashable, Comparable, Sendable, Codable {
    package let topic: String
    package let partition: Int32

    package init(_ topic: String, _ partition: Int32) {
        self.topic = topic
        self.partition = partition
    }

    package static func < (left: TopicPartition, right: TopicPartition) -> Bool {
        (left.topic, left.partition) < (right.topic, right.partition)
    }
}

extension TopicPartition: CustomStringConvertible {
    package var description: String { "\(topic):\(partition)" }
}
