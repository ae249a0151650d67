import Common
import Kafka

/// This coordinator's part in its group: Kafka gives it partitions and wants some back. Owned by the loop's thread.
final class ShareHolder {
    private let member: GroupMember
    private(set) var share = GroupShare()
    private var mirrorDue = ContinuousClock.now
    /// What was told the group last.
    private var mirrored: [TopicPartition: Int64] = [:]
    private let topics: [String]
    private var takesPart = false

    private static let mirrorInterval = Duration.seconds(5)
    /// Partitions that move stand still until all members have heard of it: for a heartbeat and up to one of these.
    private static let wakeInterval = Duration.milliseconds(100)
    private(set) var nextWake = ContinuousClock.now

    var descriptor: Int32 { member.descriptor }

    init(_ configuration: CoordinatorConfiguration, _ plan: GroupPlan) throws(KafkaError) {
        member = try GroupMember(configuration.kafka, group: plan.name, name: plan.member)
        topics = configuration.streams.flatMap(\.topics)
    }

    /// What the group has said, without waiting; at least when `nextWake` says.
    func take() -> [GroupMember.Event] {
        if nextWake <= .now {
            nextWake = .now + Self.wakeInterval
            member.wake()
        }
        let events = member.take()
        for event in events { share.take(event, at: .now) }
        return events
    }

    /// True when workers have to let go of what the group wants back.
    func letGo() -> Bool { share.letGo(at: .now, isLeaving: !takesPart) }

    /// - Parameter held: what workers have.
    /// - Throws: what nothing but another member can mend.
    func giveBack(held: @autoclosure () -> Set<TopicPartition>) throws(KafkaError) {
        let free = share.takeFree(held: held())
        guard !free.isEmpty else { return }
        for place in free { mirrored[place] = nil }
        try member.giveBack(free)
    }

    /// - Parameter isWanted: false: everything is revoked, and once it is given back the group waits for this host no more.
    func takePart(_ isWanted: Bool) throws(KafkaError) {
        guard isWanted != takesPart else { return }
        if isWanted { try member.join(topics) } else { try member.leave() }
        takesPart = isWanted
    }

    /// The group knows that it has nothing to wait for.
    var isAway: Bool { !takesPart && member.isAway }

    /// Tells the group how far partitions are, now and then.
    func mirror(_ positions: @autoclosure () -> [TopicPartition: Int64], at now: ContinuousClock.Instant)
        throws(KafkaError)
    {
        guard mirrorDue <= now, takesPart, share.revoked.isEmpty else { return }
        let moved = positions().filter { share.partitions.contains($0.key) && mirrored[$0.key] != $0.value }
        guard !moved.isEmpty else { return }
        guard try member.commit(moved.map { ($0.key, $0.value) }) else { return }
        mirrorDue = now + Self.mirrorInterval
        mirrored.merge(moved) { _, new in new }
    }
}
