private import CRdkafka
internal import Foundation

/// Writes to a test's topic in transactions: what is produced between `begin` and `commit` is seen by read_committed
/// consumers whole, or not at all after `abort`. Used from one thread; every call waits for the broker.
package final class TransactionalProducer {
    private let handle: OpaquePointer
    private static let patience: Int32 = 60_000
    /// RD_KAFKA_MSG_F_COPY, a macro.
    private static let copies: Int32 = 2

    package init(_ kafka: TestKafka) throws {
        let properties = kafka.configuration.merging(["transactional.id": "test-\(UUID().uuidString)"]) { $1 }
        let configuration = rd_kafka_conf_new()
        var reason = [CChar](repeating: 0, count: 512)
        for (name, value) in properties {
            guard rd_kafka_conf_set(configuration, name, value, &reason, reason.count) == RD_KAFKA_CONF_OK else {
                rd_kafka_conf_destroy(configuration)
                throw ShellFailure(command: "configure a producer", output: name)
            }
        }
        rd_kafka_conf_set_log_cb(configuration) { _, _, _, _ in }
        guard let handle = rd_kafka_new(RD_KAFKA_PRODUCER, configuration, &reason, reason.count) else {
            rd_kafka_conf_destroy(configuration)
            throw ShellFailure(command: "make a producer", output: properties.description)
        }
        self.handle = handle
        try check("init transactions", rd_kafka_init_transactions(handle, Self.patience))
    }

    deinit {
        rd_kafka_destroy(handle)
    }

    package func begin() throws { try check("begin transaction", rd_kafka_begin_transaction(handle)) }

    /// Acknowledged by the broker when this returns, and not yet committed.
    package func produce(_ records: [(key: String?, value: String?)], to topic: String, partition: Int32 = 0) throws {
        guard let place = rd_kafka_topic_new(handle, topic, nil) else {
            throw ShellFailure(command: "produce", output: "topic \(topic)")
        }
        defer { rd_kafka_topic_destroy(place) }
        for (key, value) in records {
            let key = key.map { Array($0.utf8) }
            var bytes = value.map { Array($0.utf8) } ?? []
            let result = bytes.withUnsafeMutableBytes { bytes in
                rd_kafka_produce(
                    place, partition, Self.copies, value == nil ? nil : bytes.baseAddress, bytes.count,
                    key, key?.count ?? 0, nil)
            }
            guard result == 0 else { throw ShellFailure(command: "produce", output: "the queue took no record") }
        }
        guard rd_kafka_flush(handle, Self.patience) == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw ShellFailure(command: "produce", output: "records were not acknowledged in time")
        }
    }

    /// The marker that it leaves in each partition takes an offset, and may come a moment after this has returned.
    package func commit() throws {
        try check("commit transaction", rd_kafka_commit_transaction(handle, Self.patience))
    }

    /// The records stay where they are, invisible, before a marker.
    package func abort() throws { try check("abort transaction", rd_kafka_abort_transaction(handle, Self.patience)) }

    private func check(_ operation: String, _ error: OpaquePointer?) throws {
        guard let error else { return }
        defer { rd_kafka_error_destroy(error) }
        throw ShellFailure(command: operation, output: String(cString: rd_kafka_error_string(error)))
    }
}
