internal import CRdkafka

/// What librdkafka answered instead of success.
package struct KafkaError: Error, Sendable, Equatable {
    package let operation: String
    /// `rd_kafka_resp_err_t`: negative for librdkafka's own, positive for the broker's.
    package let code: Int32
    package let message: String

    package init(operation: String, code: Int32, message: String) {
        self.operation = operation
        self.code = code
        self.message = message
    }

    init(_ operation: String, _ code: rd_kafka_resp_err_t, _ message: String? = nil) {
        self.init(
            operation: operation, code: code.rawValue, message: message ?? String(cString: rd_kafka_err2str(code)))
    }

    /// Whether the stored position is one that the partition no longer, or not yet, has.
    package var isOffsetOutOfRange: Bool {
        code == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE.rawValue || code == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET.rawValue
    }

    /// Whether the cluster has no such topic or partition.
    package var isUnknownPartition: Bool {
        [
            RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION,
            RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
        ].contains { $0.rawValue == code }
    }

    /// Whether the login is refused: no time mends that.
    package var isLogin: Bool {
        code == RD_KAFKA_RESP_ERR__AUTHENTICATION.rawValue
            || code == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED.rawValue
    }

    /// Whether the client is of no more use: as a group's member whose name another one has taken.
    package var isFatal: Bool {
        code == RD_KAFKA_RESP_ERR__FATAL.rawValue || code == RD_KAFKA_RESP_ERR__FENCED.rawValue
            || code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID.rawValue
    }

    /// Whether a record was larger than the client, the topic or the broker takes.
    package var isTooLarge: Bool { code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE.rawValue }

    /// Whether a partition's leader is about to be another one, or the first.
    var isLeaderChange: Bool {
        code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE.rawValue
            || code == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION.rawValue
    }

    /// Whether trying again later can help. librdkafka reconnects by itself: these are for showing.
    package var isRetriable: Bool {
        [
            RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RD_KAFKA_RESP_ERR__RESOLVE,
            RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, RD_KAFKA_RESP_ERR__WAIT_COORD,
            RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
            RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE,
            RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION, RD_KAFKA_RESP_ERR__QUEUE_FULL,
        ].contains { $0.rawValue == code }
    }
}

extension KafkaError: CustomStringConvertible {
    package var description: String { "\(operation): \(message) (\(code))" }
}
