internal import Foundation
internal import Kafka

extension TestKafka {
    /// What a consumer that starts now reads from a partition: committed records from the first to the last.
    /// - Parameter end: read up to here, at least.
    package func read(_ topic: String, partition: Int32 = 0, to end: Int64 = 0) throws -> [KeptRecord] {
        let place = TopicPartition(topic, partition)
        var consumer = try Consumer(configuration)
        try consumer.assign([(place, try Admin(configuration).watermarks(place).low)])
        var records: [KeptRecord] = []
        let deadline = Date.now + 60
        func text(_ bytes: UnsafeRawBufferPointer?) -> String? { bytes.map { String(decoding: $0, as: UTF8.self) } }
        while true {
            guard Date.now < deadline else {
                throw ShellFailure(command: "read \(place)", output: "only \(records.count) records came")
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
                    records.append(
                        KeptRecord(offset: record.offset, key: text(record.key), value: text(record.value)))
                case .endOfPartition: if record.offset >= end { return records }
                case .error(let error): if !error.isRetriable { throw error }
                }
            }
        }
    }

    /// The offset behind the last record that a read_committed consumer may see.
    package func end(_ topic: String, partition: Int32 = 0) throws -> Int64 {
        try Admin(configuration).watermarks(TopicPartition(topic, partition)).high
    }
}
