internal import CRdkafka

/// A member of a consumer group that reads nothing: which partitions the group gives it is all that it is for. Owned by one
/// thread, which has to `take` at least every `max.poll.interval.ms`.
///
/// A static member (KIP-345): one that comes back within its session, under the same name, has what it had, and nobody else
/// moves. Partitions move one by one (cooperative rebalancing, KIP-429).
package struct GroupMember: ~Copyable {
    package enum Event: Sendable, Equatable {
        case assigned([TopicPartition])
        /// The group waits until they are given back; they are this member's until then.
        case revoked([TopicPartition])
        /// The session is over: others may have them already.
        case lost([TopicPartition])
        case failed(KafkaError)
        /// It could not take what it was given: nothing but another member can mend that.
        case astray(KafkaError)
    }

    private let client: PolledClient
    private let joining: JoinState
    /// Readable when there may be events to take.
    package var descriptor: Int32 { client.descriptor }

    private static let fixed = [
        "enable.auto.commit": "false",
        "enable.auto.offset.store": "false",
        "allow.auto.create.topics": "false",
        "partition.assignment.strategy": "cooperative-sticky",
    ]

    private static let defaults = [
        "client.id": "millrace",
        // How long a host may be away until its partitions are others'.
        "session.timeout.ms": "10000",
        // A heartbeat's answer is how a member hears that partitions are to move. See `wake`.
        "heartbeat.interval.ms": "200",
        "reconnect.backoff.max.ms": "500",
        "socket.connection.setup.timeout.ms": "5000",
        // How soon new partitions are seen, and dealt.
        "topic.metadata.refresh.interval.ms": "5000",
        // What is fetched before a partition is paused.
        "queued.min.messages": "1",
        "queued.max.messages.kbytes": "1",
    ]

    private static let endOffset = Int64(RD_KAFKA_OFFSET_END)
    /// RD_KAFKA_PARTITION_UA, a macro of a cast.
    private static let anyPartition: Int32 = -1
    /// A turn's; what is left wakes the owner again.
    private static let eventLimit = 100

    /// - Parameters:
    ///   - group: the group's id.
    ///   - name: the member's own in it (`group.instance.id`): whoever comes with the same takes its place, and this one is fenced.
    package init(
        _ configuration: [String: String], group: String, name: String
    ) throws(KafkaError) {
        let own = Self.fixed.merging(["group.id": group, "group.instance.id": name]) { _, new in new }
        let merged = Self.defaults.merging(configuration) { _, given in given }.merging(own) { _, ours in ours }
        let joining = JoinState()
        let client = try Client(RD_KAFKA_CONSUMER, merged) { conf in
            joining.watch(conf)
            rd_kafka_conf_set_events(
                conf, RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_OFFSET_COMMIT | RD_KAFKA_EVENT_ERROR)
        }
        rd_kafka_poll_set_consumer(client.handle)
        self.init(try PolledClient(client, rd_kafka_queue_get_consumer), joining)
    }

    private init(_ client: consuming PolledClient, _ joining: JoinState) {
        self.client = client
        self.joining = joining
    }

    /// What has happened, without waiting.
    package func take() -> [Event] {
        client.reset()
        var events: [Event] = []
        for _ in 0..<Self.eventLimit {
            guard let event = rd_kafka_queue_poll(client.queue, 0) else { return events }
            defer { rd_kafka_event_destroy(event) }
            if let event = interpret(event) { events.append(event) }
        }
        client.wakeAgain()
        return events
    }

    /// librdkafka looks whether a heartbeat is due when something happens, or once a second: whoever calls this more often, hears
    /// sooner that partitions are to move.
    package func wake() {
        if let id = rd_kafka_memberid(client.handle) { rd_kafka_mem_free(client.handle, id) }
    }

    private func interpret(_ event: OpaquePointer) -> Event? {
        let code = rd_kafka_event_error(event)
        switch rd_kafka_event_type(event) {
        case RD_KAFKA_EVENT_REBALANCE:
            guard let list = rd_kafka_event_topic_partition_list(event) else { return nil }
            let partitions = (0..<Int(list.pointee.cnt)).map { index in
                let element = list.pointee.elems[index]
                return TopicPartition(String(cString: element.topic), element.partition)
            }
            guard code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS else {
                guard rd_kafka_assignment_lost(client.handle) != 0 else { return .revoked(partitions) }
                // They are others' whatever this says.
                try? giveBack(partitions)
                return .lost(partitions)
            }
            do throws(KafkaError) { try hold(partitions) } catch { return .astray(error) }
            return .assigned(partitions)
        case RD_KAFKA_EVENT_OFFSET_COMMIT:
            return code == RD_KAFKA_RESP_ERR_NO_ERROR ? nil : .failed(KafkaError("commit group offsets", code))
        case RD_KAFKA_EVENT_ERROR:
            return .failed(
                KafkaError("member", code, rd_kafka_event_error_string(event).map { String(cString: $0) }))
        // Records that came before the partition was paused.
        default: return nil
        }
    }

    /// Paused for as long as they are held.
    private func hold(_ partitions: [TopicPartition]) throws(KafkaError) {
        let list = PartitionList(partitions.map { ($0, Self.endOffset) })
        try Client.check("assign", rd_kafka_incremental_assign(client.handle, list.handle))
        let code = rd_kafka_pause_partitions(client.handle, list.handle)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError("pause", code) }
    }

    /// Lets others have what was revoked.
    package func giveBack(_ partitions: [TopicPartition]) throws(KafkaError) {
        let list = PartitionList(partitions.map { ($0, Self.endOffset) })
        try Client.check("unassign", rd_kafka_incremental_unassign(client.handle, list.handle))
    }

    /// Asks for a part of these topics' partitions; after `leave` too.
    package func join(_ topics: [String]) throws(KafkaError) {
        let list = PartitionList(topics.map { (TopicPartition($0, Self.anyPartition), Self.endOffset) })
        let code = rd_kafka_subscribe(client.handle, list.handle)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError("join group", code) }
    }

    /// Leaves for good, so that nobody waits for the session's end: what it has is revoked, and once that is given back the
    /// group is told.
    package func leave() throws(KafkaError) {
        let code = rd_kafka_unsubscribe(client.handle)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError("leave group", code) }
    }

    /// The group has answered that it is a member no more.
    package var isAway: Bool { joining.hasLeft }

    /// Tells the group how far partitions are, without waiting: for tools that show its lag. Nothing is ever read from there.
    ///
    /// Not while the group divides partitions anew: it would answer that the generation is over, and librdkafka takes that for the
    /// end of the session.
    /// - Returns: whether it was sent.
    package func commit(_ positions: [(TopicPartition, offset: Int64)]) throws(KafkaError) -> Bool {
        guard !joining.isJoining else { return false }
        let list = PartitionList(positions)
        let code = rd_kafka_commit(client.handle, list.handle, 1)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError("commit group offsets", code) }
        return true
    }
}
