import Common

extension FleetState {
    /// Compares who has what with who should, and says the next steps.
    mutating func reconcile(at now: ContinuousClock.Instant) -> [Action] {
        guard !isStopping else { return [] }
        let eligible = Set(shards.keys.filter { $0 < shardCount && counts(shards[$0]!, at: now) })
        let current = owners.mapValues(\.shard)
        let wanted = Assignment.balance(sources, over: eligible, current: current.merging(homes) { owner, _ in owner })
        homes = wanted
        var releases: [Int32: [SourceID]] = [:]
        var assigns: [Int32: [SourceID]] = [:]
        for (source, owner) in owners {
            guard !owner.isReleasing, wanted[source] != owner.shard else { continue }
            // Nothing is taken from a shard for one that still has to start.
            if let shard = wanted[source], shards[shard]?.state != .running { continue }
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
        return actions + leave(at: now)
    }

    /// Shards beyond the wanted number go when they have nothing left.
    private mutating func leave(at now: ContinuousClock.Instant) -> [Action] {
        var actions: [Action] = []
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

    /// Whether a shard takes part: not one that has been away for too long, nor one that goes for good.
    private func counts(_ shard: Shard, at now: ContinuousClock.Instant) -> Bool {
        switch shard.state {
        case .running: true
        case .starting, .backoff: now - shard.since < shard.patience
        case .draining: shard.isRestarting && now - shard.since < shard.patience
        }
    }
}
