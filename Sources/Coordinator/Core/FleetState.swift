package import Common

/// The coordinator's decisions as a value: events go in, actions come out, nothing waits.
///
/// What holds at any time: a source is with at most one shard; nothing stays without a shard while one runs; and
/// a source moves by release → released → assign, unless its worker is dead: then the fence in the database makes
/// an overlap harmless.
package struct FleetState: Sendable {
    package enum Action: Equatable, Sendable {
        case spawn(shard: Int32)
        case configure(shard: Int32)
        case assign(shard: Int32, generation: Int64, sources: [SourceID])
        case release(shard: Int32, sources: [SourceID])
        case drain(shard: Int32)
        case kill(shard: Int32)
        /// Every worker is gone.
        case finish
    }

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
        /// When it began to be what it is, and when it was last heard.
        var since: ContinuousClock.Instant
        var heard: ContinuousClock.Instant
        var backoff = Backoff()
    }

    private struct Owner {
        var shard: Int32
        /// Told to give it back; it is the shard's until it says `released`.
        var isReleasing = false
        /// When the shard was told the last time.
        var told: ContinuousClock.Instant
    }

    /// A worker that is silent for so long is killed: it hangs, or was stopped.
    package static let silenceLimit = Duration.seconds(10)
    package static let startLimit = Duration.seconds(30)
    package static let drainLimit = Duration.seconds(10)
    /// A worker whose heartbeats still don't agree with what it was told so long ago is told again: a message may be
    /// lost while it starts or its queue is full.
    package static let repeatInterval = Duration.seconds(5)
    /// A shard that is away for longer hands its sources over.
    package static let handoverDelay = Duration.seconds(3)

    package private(set) var shards: [Int32: Shard] = [:]
    package private(set) var sources: Set<SourceID> = []
    package private(set) var generation: Int64
    private var owners: [SourceID: Owner] = [:]
    private var shardCount: Int32
    private var stoppingSince: ContinuousClock.Instant?

    /// - Parameter generation: the highest that the database has seen.
    package init(shardCount: Int32, generation: Int64) {
        self.shardCount = shardCount
        self.generation = generation
    }

    package var isStopping: Bool { stoppingSince != nil }

    package func sources(of shard: Int32) -> [SourceID] {
        owners.filter { $0.value.shard == shard }.keys.sorted()
    }

    // MARK: Events

    /// The first event, and again whenever the wanted number changes.
    package mutating func scale(to count: Int32, at now: ContinuousClock.Instant) -> [Action] {
        shardCount = count
        var actions: [Action] = []
        for shard in 0..<count where shards[shard] == nil {
            shards[shard] = Shard(state: .starting, since: now, heard: now)
            actions.append(.spawn(shard: shard))
        }
        return actions + reconcile(at: now)
    }

    package mutating func discovered(_ found: Set<SourceID>, at now: ContinuousClock.Instant) -> [Action] {
        sources = found
        return reconcile(at: now)
    }

    package mutating func spawned(_ id: Int32, pid: Int32) {
        shards[id]?.pid = pid
    }

    /// A worker says hello until it is configured. One that was not spawned by us gets no answer.
    package mutating func hello(_ id: Int32, pid: Int32, at now: ContinuousClock.Instant) -> [Action] {
        guard let shard = shards[id], shard.pid == pid, shard.state == .starting || shard.state == .running else {
            return []
        }
        shards[id]!.heard = now
        guard shard.state == .starting else { return [.configure(shard: id)] }
        shards[id]!.state = .running
        shards[id]!.since = now
        return [.configure(shard: id)] + reconcile(at: now)
    }

    package mutating func heartbeat(
        _ id: Int32, _ progress: WorkerProgress, at now: ContinuousClock.Instant
    ) -> [Action] {
        shards[id]?.heard = now
        shards[id]?.progress = progress
        guard shards[id]?.state == .running, !isStopping else { return [] }
        let reported = Set(progress.sources.map(\.id))
        let late = owners.filter { $0.value.shard == id && now - $0.value.told >= Self.repeatInterval }
        let missing = late.filter { !$0.value.isReleasing && !reported.contains($0.key) }.keys.sorted()
        // Also when it no longer has them: then it was the answer that got lost.
        let kept = late.filter(\.value.isReleasing).keys.sorted()
        for source in missing + kept { owners[source]!.told = now }
        var actions: [Action] = []
        if !kept.isEmpty { actions.append(.release(shard: id, sources: kept)) }
        if !missing.isEmpty {
            generation += 1
            actions.append(.assign(shard: id, generation: generation, sources: missing))
        }
        return actions
    }

    package mutating func released(_ id: Int32, _ released: [SourceID], at now: ContinuousClock.Instant) -> [Action] {
        for source in released where owners[source]?.shard == id { owners[source] = nil }
        return reconcile(at: now)
    }

    /// A worker can't have these: someone else holds them, or they are retired. They are dealt again at the next tick,
    /// not at once: what refused them may still be there, and would refuse them again as fast as messages go.
    package mutating func lost(_ id: Int32, _ lost: [SourceID]) {
        for source in lost where owners[source]?.shard == id { owners[source] = nil }
    }

    /// - Parameter random: from 0 to 1, for the backoff.
    package mutating func exited(_ id: Int32, at now: ContinuousClock.Instant, random: Double) -> [Action] {
        guard shards[id] != nil else { return [] }
        for (source, owner) in owners where owner.shard == id { owners[source] = nil }
        if isStopping || id >= shardCount {
            shards[id] = nil
            return shards.isEmpty && isStopping ? [.finish] : reconcile(at: now)
        }
        let delay = shards[id]!.backoff.crashed(at: now, random: random)
        shards[id]!.state = .backoff(until: now + delay)
        shards[id]!.since = now
        shards[id]!.pid = nil
        shards[id]!.progress = nil
        return reconcile(at: now)
    }

    package mutating func stop(at now: ContinuousClock.Instant) -> [Action] {
        guard !isStopping else { return shards.keys.sorted().map { .kill(shard: $0) } }
        stoppingSince = now
        let waiting = shards.filter { $0.value.pid == nil }.keys
        for id in waiting { shards[id] = nil }
        guard !shards.isEmpty else { return [.finish] }
        for id in shards.keys { shards[id]!.state = .draining }
        return shards.keys.sorted().map { .drain(shard: $0) }
    }

    /// Time passes: at least once a second, and at `nextTick`.
    package mutating func tick(at now: ContinuousClock.Instant) -> [Action] {
        if let stoppingSince {
            return now - stoppingSince > Self.drainLimit ? shards.keys.sorted().map { .kill(shard: $0) } : []
        }
        var actions: [Action] = []
        for id in shards.keys.sorted() {
            let shard = shards[id]!
            switch shard.state {
            case .backoff(let until) where until <= now:
                shards[id]!.state = .starting
                shards[id]!.heard = now
                shards[id]!.restarts += 1
                actions.append(.spawn(shard: id))
            case .starting where now - shard.heard > Self.startLimit,
                .running where now - shard.heard > Self.silenceLimit,
                .draining where now - shard.since > Self.drainLimit:
                // Once: its exit is the next we hear of it.
                shards[id]!.heard = now
                shards[id]!.since = now
                actions.append(.kill(shard: id))
            case .backoff, .starting, .running, .draining: break
            }
        }
        return actions + reconcile(at: now)
    }

    package var nextTick: ContinuousClock.Instant? {
        shards.values.compactMap { shard in
            if case .backoff(let until) = shard.state { until } else { nil }
        }.min()
    }

    // MARK: Reconciling

    /// Compares who has what with who should, and says the next steps.
    private mutating func reconcile(at now: ContinuousClock.Instant) -> [Action] {
        guard !isStopping else { return [] }
        let eligible = Set(shards.keys.filter { $0 < shardCount && counts(shards[$0]!, at: now) })
        let current = owners.mapValues(\.shard)
        let wanted = Assignment.balance(sources, over: eligible, current: current.merging(homes) { owner, _ in owner })
        homes = wanted
        var releases: [Int32: [SourceID]] = [:]
        var assigns: [Int32: [SourceID]] = [:]
        for (source, owner) in owners {
            guard !owner.isReleasing, wanted[source] != owner.shard else { continue }
            owners[source] = Owner(shard: owner.shard, isReleasing: true, told: now)
            releases[owner.shard, default: []].append(source)
        }
        for source in sources where owners[source] == nil {
            guard let shard = wanted[source], shards[shard]?.state == .running else { continue }
            owners[source] = Owner(shard: shard, told: now)
            assigns[shard, default: []].append(source)
        }
        var actions = releases.sorted { $0.key < $1.key }.map {
            Action.release(shard: $0.key, sources: $0.value.sorted())
        }
        if !assigns.isEmpty { generation += 1 }
        actions += assigns.sorted { $0.key < $1.key }.map {
            .assign(shard: $0.key, generation: generation, sources: $0.value.sorted())
        }
        // Shards beyond the wanted number go when they have nothing left.
        for id in shards.keys.sorted() where id >= shardCount {
            if shards[id]!.pid == nil {
                shards[id] = nil
            } else if shards[id]!.state == .running, sources(of: id).isEmpty {
                shards[id]!.state = .draining
                shards[id]!.since = now
                actions.append(.drain(shard: id))
            }
        }
        return actions
    }

    /// Where sources belong while their shard starts again.
    private var homes: [SourceID: Int32] = [:]

    /// Whether a shard takes part: not one that has been away for too long.
    private func counts(_ shard: Shard, at now: ContinuousClock.Instant) -> Bool {
        switch shard.state {
        case .running: true
        case .starting, .backoff: now - shard.since < Self.handoverDelay
        case .draining: false
        }
    }
}
