/// What became of a record that was produced with a token.
package struct Delivery: Sendable, Equatable {
    /// What `produce` was given.
    package let token: UInt64
    /// -1 when the record never had one: its topic is not known.
    package let partition: Int32
    /// Nil when the record was not stored. Rarely also when it was: a retry whose first try had arrived long before is
    /// acknowledged without its offset (librdkafka's INTRODUCTION.md, "Idempotent Producer").
    package let offset: Int64?
    /// Nil once the record is on all replicas that the cluster wants.
    package let error: KafkaError?

    package init(token: UInt64, partition: Int32, offset: Int64?, error: KafkaError?) {
        self.token = token
        self.partition = partition
        self.offset = offset
        self.error = error
    }
}
