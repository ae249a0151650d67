/// What surrounds a record's JSON in Kafka. Bytes live as long as the record.
package struct RecordMetadata {
    package var key: UnsafeRawBufferPointer?
    /// Milliseconds since 1970; nil where the broker gives none.
    package var timestamp: Int64?
    package var partition: Int32
    package var offset: Int64
    /// Of a repeated name the last counts for a `$header` column; a dead letter keeps all.
    package var headers: [(name: String, value: UnsafeRawBufferPointer)]

    package init(
        key: UnsafeRawBufferPointer?, timestamp: Int64?, partition: Int32, offset: Int64,
        headers: [(name: String, value: UnsafeRawBufferPointer)] = []
    ) {
        self.key = key
        self.timestamp = timestamp
        self.partition = partition
        self.offset = offset
        self.headers = headers
    }
}
