internal import CRdkafka
private import Synchronization

/// Counts what became of produced records. Written by whichever thread polls the producer.
final class DeliveryReports: Sendable {
    private struct State {
        var delivered = 0
        var failed = 0
        var firstError: KafkaError?
    }

    private let state = Mutex(State())

    func add(_ message: borrowing rd_kafka_message_t) {
        let code = message.err
        // Aborting a transaction purges what it had not sent yet: as wanted.
        guard code != RD_KAFKA_RESP_ERR__PURGE_QUEUE, code != RD_KAFKA_RESP_ERR__PURGE_INFLIGHT else { return }
        state.withLock { state in
            if code == RD_KAFKA_RESP_ERR_NO_ERROR {
                state.delivered += 1
            } else {
                state.failed += 1
                if state.firstError == nil { state.firstError = KafkaError("deliver", code) }
            }
        }
    }

    var delivered: Int { state.withLock { $0.delivered } }
    var firstError: KafkaError? { state.withLock { $0.firstError } }
}
