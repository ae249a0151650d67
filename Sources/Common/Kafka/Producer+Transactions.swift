private import CRdkafka

/// Transactions: what is produced between `begin` and `commit` is seen by read_committed consumers whole, or not at
/// all after `abort`. They need `transactional.id` in the configuration (Kafka documentation, "Producer configs").
///
/// Each of these waits for the broker. Calling one again after it has timed out goes on with it; on any other error
/// abort the transaction, and if that throws too, make another producer.
extension Producer {
    /// Once, before the first transaction: ends what a producer with the same `transactional.id` has left open, and
    /// fences it.
    package func initTransactions(_ timeout: Duration = .seconds(30)) throws(KafkaError) {
        try Client.check("init transactions", rd_kafka_init_transactions(client.handle, Client.milliseconds(timeout)))
    }

    package func beginTransaction() throws(KafkaError) {
        try Client.check("begin transaction", rd_kafka_begin_transaction(client.handle))
    }

    /// Waits until every record has been acknowledged, and commits. The marker that it leaves in each partition takes
    /// an offset, and may come a moment after this has returned.
    package func commitTransaction(_ timeout: Duration = .seconds(30)) throws(KafkaError) {
        try Client.check("commit transaction", rd_kafka_commit_transaction(client.handle, Client.milliseconds(timeout)))
    }

    /// Records that the broker doesn't have yet are dropped; the others stay where they are, invisible, before a
    /// marker. `flush` first to have them there.
    package func abortTransaction(_ timeout: Duration = .seconds(30)) throws(KafkaError) {
        try Client.check("abort transaction", rd_kafka_abort_transaction(client.handle, Client.milliseconds(timeout)))
    }
}
