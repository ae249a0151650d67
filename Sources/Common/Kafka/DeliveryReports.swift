internal import CRdkafka
private import Synchronization

/// What became of produced records: counted, and told one by one for those that have a token. Written by whichever
/// thread polls the producer.
///
/// Bounded by `tokenLimit`: a token counts from `admit` until its delivery is taken.
final class DeliveryReports: Sendable {
    private struct State {
        var delivered = 0
        var failed = 0
        var firstError: KafkaError?
        /// Records with a token that are on their way, or whose delivery nobody has taken yet.
        var tokens = 0
        var deliveries: [Delivery] = []
    }

    private let state = Mutex(State())
    private let tokenLimit: Int

    init(tokenLimit: Int) {
        self.tokenLimit = tokenLimit
    }

    func add(_ message: borrowing rd_kafka_message_t) {
        let code = message.err
        let token = Self.token(of: message._private)
        let error = code == RD_KAFKA_RESP_ERR_NO_ERROR ? nil : KafkaError("deliver", code)
        // Aborting a transaction purges what it had not sent yet: as wanted.
        let isPurged = code == RD_KAFKA_RESP_ERR__PURGE_QUEUE || code == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT
        let (partition, offset) = (message.partition, message.offset)
        state.withLock { state in
            if error == nil {
                state.delivered += 1
            } else if !isPurged {
                state.failed += 1
                if state.firstError == nil { state.firstError = error }
            }
            guard let token else { return }
            state.deliveries.append(
                Delivery(
                    token: token, partition: partition, offset: error == nil && offset >= 0 ? offset : nil,
                    error: error))
        }
    }

    /// Makes room for the delivery of a record that has a token; false when there is none.
    func admit() -> Bool {
        state.withLock { state in
            guard state.tokens < tokenLimit else { return false }
            state.tokens += 1
            return true
        }
    }

    /// The record did not get on its way.
    func withdraw() {
        state.withLock { $0.tokens -= 1 }
    }

    func take() -> [Delivery] {
        state.withLock { state in
            state.tokens -= state.deliveries.count
            defer { state.deliveries = [] }
            return state.deliveries
        }
    }

    var delivered: Int { state.withLock { $0.delivered } }
    var failed: Int { state.withLock { $0.failed } }
    var firstError: KafkaError? { state.withLock { $0.firstError } }

    /// A message's opaque pointer holds the token plus one, so that no pointer is no token.
    static func opaque(_ token: UInt64) -> UnsafeMutableRawPointer? {
        precondition(token < UInt64(UInt.max), "the greatest token is no token")
        return UnsafeMutableRawPointer(bitPattern: UInt(token) + 1)
    }

    private static func token(of opaque: UnsafeMutableRawPointer?) -> UInt64? {
        opaque.map { UInt64(UInt(bitPattern: $0)) - 1 }
    }
}
