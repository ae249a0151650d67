private import CRdkafka
private import Synchronization

/// What librdkafka says of brokers that it can't use, while questions to them only time out. Written by whichever thread
/// serves its queue.
final class ClientErrors: Sendable {
    private let errors = Mutex<[KafkaError]>([])

    /// It says the same again and again.
    private static let limit = 16

    func add(_ code: Int32, _ reason: String) {
        let error = KafkaError("connect", rd_kafka_resp_err_t(rawValue: code), reason)
        errors.withLock { errors in
            if errors.count < Self.limit, !errors.contains(error) { errors.append(error) }
        }
    }

    /// The one that explains most: a login that is refused before a connection that fails before that all do.
    var mostTelling: KafkaError? {
        let order = [
            RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, RD_KAFKA_RESP_ERR__SSL,
        ].map(\.rawValue)
        let last = RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN.rawValue
        let errors = errors.withLock { $0 }
        for code in order {
            if let error = errors.first(where: { $0.code == code }) { return error }
        }
        return errors.first { $0.code != last } ?? errors.first
    }
}
