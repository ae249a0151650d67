import Foundation
import Kafka
import Testing

@Suite("The mock cluster", .timeLimit(.minutes(1)))
struct MockClusterTests {
    private func read(_ configuration: [String: String], _ place: TopicPartition, count: Int) throws -> [String] {
        var consumer = try Consumer(configuration)
        try consumer.assign([(place, 0)])
        var found: [String] = []
        let deadline = Date.now + 30
        while found.count < count, Date.now < deadline {
            if consumer.take() == 0 {
                var entry = pollfd(fd: consumer.descriptor, events: Int16(POLLIN), revents: 0)
                poll(&entry, 1, 1000)
            }
            for index in 0..<consumer.count {
                let record = consumer[index]
                guard case .record = record.kind, let value = record.value else { continue }
                found.append(String(decoding: value, as: UTF8.self))
            }
        }
        return found
    }

    @Test("It has the topics it was given, takes idempotent records and hands them out in order")
    func records() throws {
        let cluster = try MockCluster()
        try cluster.createTopic("events", partitions: 8)
        let configuration = ["bootstrap.servers": cluster.bootstrap, "fetch.wait.max.ms": "20"]
        let admin = try Admin(configuration)
        #expect(try admin.partitionCounts() == ["events": 8])
        // What it does not answer is not waited for.
        let named = try Admin(configuration.merging([Properties.mockCluster: "mock-1"]) { $1 })
        #expect(named.topicIDs(["events"]) == [:])
        #expect(try !named.isCompacted("events"))
        let producer = try Producer(configuration)
        let values = (0..<1000).map(String.init)
        for value in values {
            #expect(try producer.produce(topic: "events", partition: 3, key: nil, value: Array(value.utf8)))
        }
        try producer.flush()
        #expect(try admin.watermarks(TopicPartition("events", 3)) == (0, 1000))
        #expect(try read(configuration, TopicPartition("events", 3), count: 1000) == values)
    }

    @Test("A cluster is called as its properties say, once it answers")
    func name() throws {
        let cluster = try MockCluster()
        let configuration = ["bootstrap.servers": cluster.bootstrap]
        #expect(try Admin(configuration.merging([Properties.mockCluster: "mock-1"]) { $1 }).clusterID() == "mock-1")
        #expect(try Admin(configuration).clusterID()?.hasPrefix("mockCluster") == true)
        #expect(
            try Admin(["bootstrap.servers": "127.0.0.1:1", Properties.mockCluster: "mock-1"]).clusterID(
                timeout: .milliseconds(300)) == nil)
    }
}
