internal import CRdkafka
private import Synchronization

/// Where a group member is with its group: told by the requests on their way (librdkafka's interceptors), since no call tells it.
/// Written by librdkafka's threads.
final class JoinState: Sendable {
    private enum State: UInt8, AtomicRepresentable {
        case away, joining, joined
    }

    private let state = Atomic(State.away)

    /// Kafka's protocol: JoinGroup, LeaveGroup and SyncGroup.
    private static let (join, leave, sync): (Int16, Int16, Int16) = (11, 13, 14)

    /// Between asking to join and hearing what it gets.
    var isJoining: Bool { state.load(ordering: .relaxed) == .joining }
    /// It has not asked to join, or the group has answered that it left.
    var hasLeft: Bool { state.load(ordering: .relaxed) == .away }

    private func sent(_ key: Int16) {
        if key == Self.join { state.store(.joining, ordering: .relaxed) }
    }

    private func answered(_ key: Int16) {
        switch key {
        case Self.sync: state.store(.joined, ordering: .relaxed)
        case Self.leave: state.store(.away, ordering: .relaxed)
        default: break
        }
    }

    /// - Parameter conf: of a client that this outlives.
    func watch(_ conf: OpaquePointer) {
        let opaque = Unmanaged.passUnretained(self).toOpaque()
        rd_kafka_conf_interceptor_add_on_new(
            conf, "millrace",
            { client, _, opaque, _, _ in
                rd_kafka_interceptor_add_on_request_sent(
                    client, "millrace",
                    { _, _, _, _, key, _, _, _, opaque in
                        Unmanaged<JoinState>.fromOpaque(opaque!).takeUnretainedValue().sent(key)
                        return RD_KAFKA_RESP_ERR_NO_ERROR
                    }, opaque)
                return rd_kafka_interceptor_add_on_response_received(
                    client, "millrace",
                    { _, _, _, _, key, _, _, _, _, _, opaque in
                        Unmanaged<JoinState>.fromOpaque(opaque!).takeUnretainedValue().answered(key)
                        return RD_KAFKA_RESP_ERR_NO_ERROR
                    }, opaque)
            }, opaque)
    }
}
