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
        /// This source has a record that kills every worker that takes it.
        case quarantine(InFlightRecord.Place)
        /// Every worker is gone.
        case finish
    }

    struct Owner {
        var shard: Int32
        /// Told to give it back; it is the shard's until it says `released`.
        var isReleasing = false
        /// When the shard was told the last time.
        var told: ContinuousClock.Instant
    }

    /// A worker that is silent for so long is killed: it hangs, or was stopped.
    package static let silenceLimit = Duration.seconds(10)
    /// One that says it works, and advances nothing for so long although there are records, is killed.
    package static let stuckLimit = Duration.seconds(60)
    package static let startLimit = Duration.seconds(30)
    package static let drainLimit = Duration.seconds(10)
    /// A worker whose heartbeats still don't agree with what it was told so long ago is told again: a message may be
    /// lost while it starts or its queue is full.
    package static let repeatInterval = Duration.seconds(5)
    /// A shard that starts, or drains to come back, keeps its sources for so long.
    package static let startPatience = Duration.seconds(3)
    /// And so long after a crash, if its backoff takes no more than half of it; otherwise others get them at once.
    package static let crashPatience = Duration.milliseconds(600)
    /// A record that was in the hands of so many workers when they died, within `killInterval`, is the cause.
    package static let killLimit = 3
    package static let killInterval = Duration.seconds(60)

    package internal(set) var shards: [Int32: Shard] = [:]
    /// What is to be assigned: not what is paused.
    package private(set) var sources: Set<SourceID> = []
    package internal(set) var generation: Int64
    var owners: [SourceID: Owner] = [:]
    /// Where sources belong while their shard starts again.
    var homes: [SourceID: Int32] = [:]
    var shardCount: Int32
    private var stoppingSince: ContinuousClock.Instant?
    /// Shards that are still to be restarted, one after another; nil once all have been and everybody is back.
    private var rolling: [Int32]?
    package private(set) var completedRolls = 0
    /// Sources that were found to kill workers, until someone resumes them.
    private var quarantined: Set<SourceID> = []
    private var kills: [InFlightRecord.Place: [ContinuousClock.Instant]] = [:]

    /// - Parameter generation: the highest that the database has seen.
    package init(shardCount: Int32, generation: Int64) {
        self.shardCount = shardCount
        self.generation = generation
    }

    /// For a fleet that started before the database could be asked: nothing has been assigned yet.
    package mutating func learn(generation known: Int64) {
        generation = max(generation, known)
    }

    package var isStopping: Bool { stoppingSince != nil }

    /// No shard is wanted.
    package var isDrained: Bool { shardCount == 0 }

    package func sources(of shard: Int32) -> [SourceID] {
        owners.filter { $0.value.shard == shard }.keys.sorted()
    }

    /// Those that some worker has, or may have still.
    package var heldSources: Set<SourceID> { Set(shards.keys.flatMap { sources(of: $0) }) }

    // MARK: Events

    /// The first event, and again whenever the wanted number changes.
    package mutating func scale(to count: Int32, at now: ContinuousClock.Instant) -> [Action] {
        guard !isStopping else { return [] }
        shardCount = count
        var actions: [Action] = []
        for shard in 0..<count where shards[shard] == nil {
            shards[shard] = Shard(state: .starting, at: now)
            actions.append(.spawn(shard: shard))
        }
        return actions + reconcile(at: now)
    }

    /// - Parameter found: the sources that are to be assigned, from now on.
    package mutating func discovered(_ found: Set<SourceID>, at now: ContinuousClock.Instant) -> [Action] {
        sources = found.subtracting(quarantined)
        return reconcile(at: now)
    }

    /// Gives sources that killed workers another try.
    package mutating func forgive(_ ids: [SourceID]) {
        quarantined.subtract(ids)
    }

    package mutating func spawned(_ id: Int32, pid: Int32) {
        shards[id]?.pid = pid
    }

    /// A worker says hello until it is configured. One that was not spawned by us gets no answer; one that was to drain
    /// before it could be reached is told again.
    package mutating func hello(_ id: Int32, pid: Int32, at now: ContinuousClock.Instant) -> [Action] {
        guard let shard = shards[id], shard.pid == pid else { return [] }
        if shard.state == .draining { return [.drain(shard: id)] }
        guard shard.state == .starting || shard.state == .running else { return [] }
        shards[id]!.heard = now
        guard shard.state == .starting else { return [.configure(shard: id)] }
        shards[id]!.state = .running
        shards[id]!.since = now
        return [.configure(shard: id)] + reconcile(at: now)
    }

    package mutating func heartbeat(
        _ id: Int32, _ progress: WorkerProgress, at now: ContinuousClock.Instant
    ) -> [Action] {
        shards[id]?.heard(progress, at: now)
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
        return actions + roll(at: now)
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

    /// - Parameters:
    ///   - inFlight: the record that the worker had in its hands.
    ///   - random: from 0 to 1, for the backoff.
    package mutating func exited(
        _ id: Int32, inFlight: InFlightRecord.Place? = nil, at now: ContinuousClock.Instant, random: Double
    ) -> [Action] {
        guard let shard = shards[id] else { return [] }
        for (source, owner) in owners where owner.shard == id { owners[source] = nil }
        if isStopping || id >= shardCount {
            shards[id] = nil
            return shards.isEmpty && isStopping ? [.finish] : reconcile(at: now)
        }
        if shard.isRestarting {
            shards[id]!.start(at: now)
            return [.spawn(shard: id)] + reconcile(at: now)
        }
        let quarantined = inFlight.map { blame($0, at: now) } ?? []
        shards[id]!.crashed(at: now, random: random)
        return quarantined + reconcile(at: now)
    }

    private mutating func blame(_ place: InFlightRecord.Place, at now: ContinuousClock.Instant) -> [Action] {
        kills = kills.filter { now - $0.value.last! < Self.killInterval }
        kills[place, default: []].append(now)
        let recent = kills[place]!.filter { now - $0 < Self.killInterval }
        guard recent.count >= Self.killLimit else { return [] }
        kills[place] = nil
        quarantined.insert(place.source)
        sources.remove(place.source)
        return [.quarantine(place)]
    }

    /// Restarts shards as they are now: all at once, or one after another.
    package mutating func restart(_ ids: [Int32], rolling isRolling: Bool, at now: ContinuousClock.Instant) -> [Action]
    {
        guard !isStopping else { return [] }
        let known = ids.filter { shards[$0] != nil && $0 < shardCount }
        guard !isRolling else {
            rolling = known
            return roll(at: now)
        }
        return known.flatMap { drainAndReturn($0, at: now) }
    }

    private mutating func drainAndReturn(_ id: Int32, at now: ContinuousClock.Instant) -> [Action] {
        guard shards[id]?.state == .running else { return [] }
        shards[id]!.drainToReturn(at: now)
        return [.drain(shard: id)]
    }

    /// The next shard's turn, once nobody is away and everybody has what is theirs.
    private mutating func roll(at now: ContinuousClock.Instant) -> [Action] {
        let isWhole = shards.allSatisfy { id, shard in
            shard.state == .running && Set(sources(of: id)).isSubset(of: shard.progress?.sources.map(\.id) ?? [])
        }
        guard let next = rolling, isWhole, shardCount == 0 || sources.allSatisfy({ owners[$0] != nil }) else {
            return []
        }
        guard let shard = next.first else {
            rolling = nil
            completedRolls += 1
            return []
        }
        rolling = Array(next.dropFirst())
        return drainAndReturn(shard, at: now)
    }

    /// The second time, nobody is waited for.
    package mutating func stop(at now: ContinuousClock.Instant) -> [Action] {
        guard !isStopping else { return shards.keys.sorted().map { .kill(shard: $0) } }
        stoppingSince = now
        let waiting = shards.filter { $0.value.pid == nil }.keys
        for id in waiting { shards[id] = nil }
        guard !shards.isEmpty else { return [.finish] }
        for id in shards.keys { shards[id]!.state = .draining }
        return shards.keys.sorted().map { .drain(shard: $0) }
    }

    /// Time passes: at least once a second, and when `nextTick` says.
    package mutating func tick(at now: ContinuousClock.Instant) -> [Action] {
        if let stoppingSince {
            return now - stoppingSince > Self.drainLimit ? shards.keys.sorted().map { .kill(shard: $0) } : []
        }
        var actions: [Action] = []
        for id in shards.keys.sorted() {
            let shard = shards[id]!
            switch shard.state {
            case .backoff(let until) where until <= now:
                shards[id]!.start(at: now)
                actions.append(.spawn(shard: id))
            case .starting where now - shard.heard > Self.startLimit,
                .running where now - shard.heard > Self.silenceLimit,
                .running where shard.isStuck(at: now, for: Self.stuckLimit),
                .draining where now - shard.since > Self.drainLimit:
                // Once: its exit is the next we hear of it.
                shards[id]!.killed(at: now)
                actions.append(.kill(shard: id))
            case .backoff, .starting, .running, .draining: break
            }
        }
        return actions + reconcile(at: now) + roll(at: now)
    }

    /// When a shard is to start again, or the patience with one that is away ends.
    package func nextTick(after now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        shards.values.flatMap { (shard: Shard) -> [ContinuousClock.Instant] in
            let handover = shard.since + shard.patience
            let waited = handover > now ? [handover] : []
            return switch shard.state {
            case .backoff(let until): [until] + waited
            case .starting: waited
            case .running, .draining: []
            }
        }.min()
    }
}
