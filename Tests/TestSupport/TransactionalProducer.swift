internal import Foundation
internal import Kafka

/// Writes to a test's topic in transactions. Used from one thread.
package final class TransactionalProducer {
    private let producer: Producer

    package init(_ kafka: TestKafka) throws {
        producer = try Producer(
            kafka.configuration.merging(["transactional.id": "test-\(UUID().uuidString)"]) { $1 })
        try producer.initTransactions(.seconds(60))
    }

    package func begin() throws { try producer.beginTransaction() }

    /// Acknowledged by the broker when this returns, and not yet committed.
    package func produce(_ records: [(key: String?, value: String?)], to topic: String, partition: Int32 = 0) throws {
        for (key, value) in records {
            let sent = try producer.produce(
                topic: topic, partition: partition, key: key.map { Array($0.utf8) }, value: value.map { Array($0.utf8) }
            )
            precondition(sent, "a test's transaction fits into the queue")
        }
        try producer.flush()
    }

    package func commit() throws { try producer.commitTransaction() }

    package func abort() throws { try producer.abortTransaction() }
}
