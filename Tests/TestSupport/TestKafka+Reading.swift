internal import Foundation
internal import Kafka

extension TestKafka {
    /// What a consumer that starts now reads from a partition: committed records from the first to the last.
    /// - Parameter end: read up to here, at least.
    package func read(_ topic: String, partition: Int32 = 0, to end: Int64 = 0) throws -> [KeptRecord] {
        try read(topic, [partition: end])[partition]!
    }

    /// The same of partitions 0, 1, …
    package func read(_ topic: String, to ends: [Int64]) throws -> [[KeptRecord]] {
        let found = try read(topic, Dictionary(uniqueKeysWithValues: zip(0..<Int32(ends.count), ends)))
        return found.sorted { $0.key < $1.key }.map(\.value)
    }

    private func read(_ topic: String, _ ends: [Int32: Int64]) throws -> [Int32: [KeptRecord]] {
        let admin = try Admin(configuration)
        var consumer = try Consumer(configuration)
        try consumer.assign(
            ends.keys.map { partition in
                let place = TopicPartition(topic, partition)
                return (place, try admin.watermarks(place).low)
            })
        var found: [Int32: [KeptRecord]] = ends.mapValues { _ in [] }
        var unread = Set(ends.keys)
        let deadline = Date.now + 60
        func text(_ bytes: UnsafeRawBufferPointer?) -> String? { bytes.map { String(decoding: $0, as: UTF8.self) } }
        while !unread.isEmpty {
            guard Date.now < deadline else {
                throw ShellFailure(command: "read \(topic)", output: "partitions \(unread) did not come to their end")
            }
            if consumer.take() == 0 {
                var entry = pollfd(fd: consumer.descriptor, events: Int16(POLLIN), revents: 0)
                poll(&entry, 1, 1000)
                continue
            }
            for index in 0..<consumer.count {
                let record = consumer[index]
                switch record.kind {
                case .record:
                    found[record.partition, default: []].append(
                        KeptRecord(offset: record.offset, key: text(record.key), value: text(record.value)))
                case .endOfPartition: if record.offset >= ends[record.partition]! { unread.remove(record.partition) }
                case .error(let error): if !error.isRetriable { throw error }
                }
            }
        }
        return found
    }

    /// For each partition the offset behind the last record that a read_committed consumer may see.
    package func ends(_ topic: String, partitions: Int32) throws -> [Int64] {
        let admin = try Admin(configuration)
        return try (0..<partitions).map { try admin.watermarks(TopicPartition(topic, $0)).high }
    }
}
