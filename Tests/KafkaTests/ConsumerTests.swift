import Foundation
import Kafka
import TestSupport
import Testing

@Suite("Kafka consumers", .timeLimit(.minutes(3)))
struct ConsumerTests {
    /// Takes until `isDone`, waiting on the consumer's descriptor.
    private func take(
        _ consumer: inout Consumer, seconds: Double = 60, until isDone: (_ texts: [String], _ ends: [Int64]) -> Bool
    ) throws -> (texts: [String], ends: [Int64]) {
        var texts: [String] = []
        var ends: [Int64] = []
        let deadline = Date.now + seconds
        while !isDone(texts, ends) {
            try #require(Date.now < deadline, "only \(texts.count) records came")
            if consumer.take() == 0 {
                var entry = pollfd(fd: consumer.descriptor, events: Int16(POLLIN), revents: 0)
                poll(&entry, 1, 1000)
                continue
            }
            for index in 0..<consumer.count {
                let record = consumer[index]
                switch record.kind {
                case .record:
                    texts.append(
                        "\(record.partition):\(record.offset):\(record.value.map { String(decoding: $0, as: UTF8.self) } ?? "-")"
                    )
                case .endOfPartition: ends.append(record.offset)
                case .error(let error): throw error
                }
            }
        }
        return (texts, ends)
    }

    @Test("Records come from the assigned offset on, tombstones included, and the end is told")
    func fromOffset() throws {
        let kafka = try TestKafka.shared.get()
        let topic = try kafka.makeTopic()
        try kafka.produce([Array("a".utf8), Array("b".utf8), nil, []], to: topic)
        var consumer = try Consumer(kafka.configuration)
        try consumer.assign([(TopicPartition(topic, 0), 1)])
        let (texts, ends) = try take(&consumer) { !$1.isEmpty && $0.count >= 3 }
        #expect(texts == ["0:1:b", "0:2:-", "0:3:"] && ends.last == 4)
        #expect(consumer.knownEndOffset(TopicPartition(topic, 0)) == 4)
    }

    @Test("Adding a partition leaves the others where they are, removing one ends its records")
    func incremental() throws {
        let kafka = try TestKafka.shared.get()
        let topic = try kafka.makeTopic(partitions: 2)
        try kafka.produce(["a0"], to: topic, partition: 0)
        var consumer = try Consumer(kafka.configuration)
        try consumer.assign([(TopicPartition(topic, 0), 0)])
        #expect(try take(&consumer) { texts, _ in texts.count == 1 }.texts == ["0:0:a0"])
        try kafka.produce(["b0"], to: topic, partition: 1)
        try consumer.assign([(TopicPartition(topic, 1), 0)])
        #expect(try take(&consumer) { texts, _ in texts.count == 1 }.texts == ["1:0:b0"])
        try consumer.unassign([TopicPartition(topic, 1)])
        try kafka.produce(["b1"], to: topic, partition: 1)
        try kafka.produce(["a1"], to: topic, partition: 0)
        #expect(try take(&consumer) { texts, _ in !texts.isEmpty }.texts == ["0:1:a1"])
    }

    @Test("An offset that the partition does not have is an error, not a jump")
    func outOfRange() throws {
        let kafka = try TestKafka.shared.get()
        let topic = try kafka.makeTopic()
        try kafka.produce(["a"], to: topic)
        var consumer = try Consumer(kafka.configuration)
        try consumer.assign([(TopicPartition(topic, 0), 100)])
        #expect(throws: KafkaError.self) { _ = try take(&consumer) { _, _ in false } }
    }

    @Test("A property that librdkafka does not know is named, its value is not")
    func badProperty() {
        do throws(KafkaError) {
            _ = try Admin(["sasl.passwort": "hunter2"])
            Issue.record("an unknown property was taken")
        } catch {
            #expect(error.description.contains("sasl.passwort") && !error.description.contains("hunter2"))
        }
    }

    @Test("A consumer has room for the largest message that its configuration knows")
    func largestMessage() throws {
        let large = ["message.max.bytes": "10000000"]
        _ = try Consumer(large)
        #expect(throws: KafkaError.self) {
            _ = try Consumer(large.merging(["fetch.max.bytes": "1048576"]) { $1 })
        }
    }

    @Test("A cluster tells its id, topics and offsets; making a topic twice is no error")
    func admin() throws {
        let kafka = try TestKafka.shared.get()
        let topic = try kafka.makeTopic(partitions: 3)
        let admin = try Admin(kafka.configuration)
        try admin.createTopic(topic, partitions: 3)
        try kafka.produce(["a", "b"], to: topic, partition: 2)
        #expect(try admin.partitionCounts()[topic] == 3)
        #expect(try admin.watermarks(TopicPartition(topic, 2)) == (0, 2))
        #expect(admin.clusterID()?.count == 22)
    }
}
