package import Common

extension FleetState {
    package enum ShardState: Equatable, Sendable {
        /// Spawned, and not heard of yet.
        case starting
        case running
        case draining
        case backoff(until: ContinuousClock.Instant)
    }

    package struct Shard: Sendable {
        package var state: ShardState
        package var pid: Int32?
        package var restarts = 0
        package var progress: WorkerProgress?
        /// When it began to be what it is; for a shard that is away, since when.
        package var since: ContinuousClock.Instant
        var heard: ContinuousClock.Instant
        /// For so long while it is away its sources are kept for it; then, or at once where that is zero, others get them.
        private(set) var patience = FleetState.startPatience
        private var backoff = Backoff()
        /// Drains to come back, not for good.
        private(set) var isRestarting = false
        /// Since when it has records and advances nothing.
        private var stuckSince: ContinuousClock.Instant?

        init(state: ShardState, at now: ContinuousClock.Instant) {
            self.state = state
            since = now
            heard = now
        }

        /// Ended by itself: comes back after its backoff.
        mutating func crashed(at now: ContinuousClock.Instant, random: Double) {
            let delay = backoff.crashed(at: now, random: random)
            state = .backoff(until: now + delay)
            since = now
            pid = nil
            progress = nil
            patience = delay < FleetState.crashPatience / 2 ? FleetState.crashPatience : .zero
        }

        /// Is told to go, and comes back.
        mutating func drainToReturn(at now: ContinuousClock.Instant) {
            state = .draining
            isRestarting = true
            since = now
            patience = FleetState.startPatience
        }

        /// Begins a new life. After a crash it has been away since then.
        mutating func start(at now: ContinuousClock.Instant) {
            if isRestarting { since = now }
            state = .starting
            heard = now
            pid = nil
            progress = nil
            isRestarting = false
            stuckSince = nil
            restarts += 1
        }

        mutating func killed(at now: ContinuousClock.Instant) {
            heard = now
            since = now
            stuckSince = nil
        }

        mutating func heard(_ new: WorkerProgress, at now: ContinuousClock.Instant) {
            heard = now
            let isBehind =
                new.waitingFor == nil
                && new.sources.contains { $0.stopped == nil && ($0.endOffset ?? 0) > $0.nextOffset }
            func positions(_ progress: WorkerProgress?) -> [SourceID: Int64] {
                Dictionary((progress?.sources ?? []).map { ($0.id, $0.nextOffset) }) { first, _ in first }
            }
            if !isBehind || positions(new) != positions(progress) {
                stuckSince = nil
            } else if stuckSince == nil {
                stuckSince = now
            }
            progress = new
        }

        package func isStuck(at now: ContinuousClock.Instant, for limit: Duration) -> Bool {
            stuckSince.map { now - $0 >= limit } ?? false
        }
    }
}
