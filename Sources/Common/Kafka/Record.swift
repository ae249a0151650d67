internal import CRdkafka

/// A message of a consumer's current batch: a record, or an event of a partition. Borrowed from the batch.
package struct Record {
    private let message: UnsafeMutablePointer<rd_kafka_message_t>

    init(_ message: UnsafeMutablePointer<rd_kafka_message_t>) {
        self.message = message
    }

    package enum Kind {
        case record
        /// Everything up to `offset` has been delivered: transaction markers and holes included.
        case endOfPartition
        case error(KafkaError)
    }

    package var kind: Kind {
        switch message.pointee.err {
        case RD_KAFKA_RESP_ERR_NO_ERROR: return .record
        case RD_KAFKA_RESP_ERR__PARTITION_EOF: return .endOfPartition
        default:
            return .error(
                KafkaError("consume", message.pointee.err, rd_kafka_message_errstr(message).map { String(cString: $0) })
            )
        }
    }

    /// Equal for all records of a topic in this consumer, and cheaper to compare than the name.
    package var topicIdentity: OpaquePointer? { message.pointee.rkt }
    /// Empty for errors of the whole client.
    package var topic: String { message.pointee.rkt.map { String(cString: rd_kafka_topic_name($0)) } ?? "" }
    package var partition: Int32 { message.pointee.partition }
    package var offset: Int64 { message.pointee.offset }

    package var key: UnsafeRawBufferPointer? {
        message.pointee.key.map { UnsafeRawBufferPointer(start: $0, count: message.pointee.key_len) }
    }

    /// Nil for a tombstone.
    package var value: UnsafeRawBufferPointer? {
        message.pointee.payload.map { UnsafeRawBufferPointer(start: $0, count: message.pointee.len) }
    }

    /// Milliseconds since 1970.
    package var timestamp: Int64? {
        var type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        let value = rd_kafka_message_timestamp(message, &type)
        return type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE || value < 0 ? nil : value
    }

    /// In their order; names may repeat.
    package var headers: [(name: String, value: UnsafeRawBufferPointer)] {
        var list: OpaquePointer?
        guard rd_kafka_message_headers(message, &list) == RD_KAFKA_RESP_ERR_NO_ERROR else { return [] }
        var found: [(String, UnsafeRawBufferPointer)] = []
        var name: UnsafePointer<CChar>?
        var value: UnsafeRawPointer?
        var size = 0
        while rd_kafka_header_get_all(list, found.count, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR {
            found.append((String(cString: name!), UnsafeRawBufferPointer(start: value, count: value == nil ? 0 : size)))
        }
        return found
    }
}
