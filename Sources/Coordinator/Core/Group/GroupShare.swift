package import Kafka

/// Which partitions a group has given this host, and which of them it wants back. Pure.
package struct GroupShare: Sendable, Equatable {
    /// What may be assigned to workers.
    package private(set) var partitions: Set<TopicPartition> = []
    /// Wanted back: with workers for a while still, and not given back as long as one has any.
    package private(set) var revoked: Set<TopicPartition> = []
    /// When workers are to let go of what is revoked; nil once they are.
    package private(set) var due: ContinuousClock.Instant?

    /// librdkafka asks to join a group at most once a second. Who has just done so, as whoever gets what is given back now has, asks
    /// no sooner than that: until shortly before, workers go on with it.
    package static let patience = Duration.milliseconds(700)

    package init() {}

    package mutating func take(_ event: GroupMember.Event, at now: ContinuousClock.Instant) {
        switch event {
        case .assigned(let given):
            partitions.formUnion(given)
            revoked.subtract(given)
        case .revoked(let wanted):
            due = due ?? now + Self.patience
            revoked.formUnion(wanted)
        case .lost(let lost):
            partitions.subtract(lost)
            revoked.subtract(lost)
        case .failed, .astray: break
        }
        if revoked.isEmpty { due = nil }
    }

    /// True when workers have to let go of what is revoked from now on.
    ///
    /// - Parameter isLeaving: this host takes no part any more, and others wait for it.
    package mutating func letGo(at now: ContinuousClock.Instant, isLeaving: Bool) -> Bool {
        guard let due, isLeaving || due <= now else { return false }
        self.due = nil
        partitions.subtract(revoked)
        return true
    }

    /// Those that were revoked, once no worker has any of them: the group is answered once for all that it asked.
    package mutating func takeFree(held: @autoclosure () -> Set<TopicPartition>) -> [TopicPartition] {
        guard due == nil, !revoked.isEmpty, held().isDisjoint(with: revoked) else { return [] }
        defer { revoked = [] }
        return revoked.sorted()
    }
}
