import Foundation
import Kafka
import TestSupport
import Testing

@Suite("Kafka producers", .timeLimit(.minutes(3)))
struct ProducerTests {
    private let kafka: TestKafka

    init() throws {
        kafka = try TestKafka.shared.get()
    }

    /// Waits on the producer's descriptor until so many deliveries have come.
    private func deliveries(_ producer: borrowing Producer, _ count: Int) throws -> [Delivery] {
        var found: [Delivery] = []
        let deadline = Date.now + 60
        while found.count < count {
            try #require(Date.now < deadline, "only \(found.count) deliveries came")
            var entry = pollfd(fd: producer.descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, 1000) > 0 else { continue }
            producer.poll()
            found += producer.takeDeliveries()
        }
        return found
    }

    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test("A token comes back with the record's partition and offset, and wakes who waits")
    func tokens() throws {
        let topic = try kafka.makeTopic(partitions: 2)
        try kafka.produce(["before"], to: topic, partition: 1)
        let producer = try Producer(kafka.configuration)
        #expect(try producer.produce(topic: topic, partition: 0, key: nil, value: bytes("a"), token: 0))
        #expect(try producer.produce(topic: topic, partition: 1, key: nil, value: bytes("untold")))
        #expect(try producer.produce(topic: topic, partition: 1, key: nil, value: bytes("b"), token: .max - 1))
        let told = try deliveries(producer, 2).sorted { $0.token < $1.token }
        #expect(
            told == [
                Delivery(token: 0, partition: 0, offset: 0, error: nil),
                Delivery(token: .max - 1, partition: 1, offset: 2, error: nil),
            ])
        #expect(producer.takeDeliveries().isEmpty && producer.deliveredCount == 3 && producer.waitingCount == 0)
    }

    @Test("The key decides the partition, as it does for Java clients")
    func partitioner() throws {
        let topic = try kafka.makeTopic(partitions: 10)
        let producer = try Producer(kafka.configuration)
        let keys = ["", "kafka", "ab", "0123abcd-4567-89ab-cdef-0123456789ab", "ü"]
        for (token, key) in keys.enumerated() {
            _ = try producer.produce(topic: topic, key: bytes(key), value: bytes("x"), token: UInt64(token))
        }
        let told = try deliveries(producer, keys.count).sorted { $0.token < $1.token }
        #expect(told.map(\.partition) == keys.map { Murmur2.partition(of: bytes($0), count: 10) })
    }

    @Test("A record that is too large for the client throws, one that is too large for the topic comes back refused")
    func tooLarge() throws {
        let topic = try kafka.makeTopic(configuration: ["max.message.bytes": "1000"])
        let producer = try Producer(kafka.configuration.merging(["message.max.bytes": "20000"]) { $1 }, tokenLimit: 1)
        let (large, huge) = ([UInt8](repeating: 1, count: 10_000), [UInt8](repeating: 1, count: 30_000))
        #expect(throws: KafkaError.self) { try producer.produce(topic: topic, key: nil, value: huge, token: 1) }
        // The one that threw holds no room.
        #expect(try producer.produce(topic: topic, key: nil, value: large, token: 2))
        let told = try deliveries(producer, 1)
        #expect(told[0].token == 2 && told[0].offset == nil && told[0].error?.isTooLarge == true, "\(told)")
        #expect(producer.failedCount == 1 && producer.firstError == told[0].error)
    }

    @Test("A partition and a topic that are not there come back as errors")
    func unknown() throws {
        let topic = try kafka.makeTopic()
        let producer = try Producer(
            kafka.configuration.merging(["topic.metadata.propagation.max.ms": "100"]) { $1 })
        // A partition's number is checked at once where the topic is known already: so it is not here.
        #expect(try producer.produce(topic: topic, partition: 7, key: nil, value: bytes("a"), token: 1))
        #expect(try producer.produce(topic: "no-\(topic)", key: nil, value: bytes("a"), token: 2))
        let told = try deliveries(producer, 2).sorted { $0.token < $1.token }
        #expect(told.map(\.token) == [1, 2] && told.allSatisfy { $0.error?.isUnknownPartition == true }, "\(told)")
        #expect(try Admin(kafka.configuration).partitionCounts()["no-\(topic)"] == nil)
    }

    @Test("Deliveries that nobody takes stop further records with tokens, not those without")
    func tokenLimit() throws {
        let topic = try kafka.makeTopic()
        let producer = try Producer(kafka.configuration, tokenLimit: 2)
        for token in UInt64(1)...2 {
            #expect(try producer.produce(topic: topic, key: nil, value: bytes("x"), token: token))
        }
        try producer.flush()
        #expect(try !producer.produce(topic: topic, key: nil, value: bytes("x"), token: 3))
        #expect(try producer.produce(topic: topic, key: nil, value: bytes("x")))
        #expect(producer.takeDeliveries().map(\.token) == [1, 2])
        #expect(try producer.produce(topic: topic, key: nil, value: bytes("x"), token: 3))
        #expect(try deliveries(producer, 1).map(\.offset) == [3])
    }

    @Test(
        "Without a broker the queue fills up to its limit of records or bytes, and every record comes back in time",
        arguments: [
            ["queue.buffering.max.messages": "2"], ["queue.buffering.max.kbytes": "2"],
        ])
    func full(limit: [String: String]) throws {
        let port = try ClosedPort()
        let configuration = ["bootstrap.servers": port.address, "delivery.timeout.ms": "500"]
        let producer = try Producer(configuration.merging(limit) { $1 })
        let value = [UInt8](repeating: 1, count: 1000)
        #expect(try producer.produce(topic: "t", key: nil as [UInt8]?, value: value, token: 1))
        #expect(try producer.produce(topic: "t", key: nil as [UInt8]?, value: value, token: 2))
        #expect(try !producer.produce(topic: "t", key: nil as [UInt8]?, value: value, token: 3))
        let told = try deliveries(producer, 2)
        #expect(told.map(\.token) == [1, 2] && told.allSatisfy { $0.error?.isRetriable == true }, "\(told)")
        #expect(try producer.produce(topic: "t", key: nil as [UInt8]?, value: value, token: 3))
    }
}
