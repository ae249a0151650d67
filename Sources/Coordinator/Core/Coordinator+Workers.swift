import Common

/// What the loop does about workers: what `FleetState` decides.
extension Coordinator {
    func perform(_ actions: [FleetState.Action]) {
        for action in actions {
            switch action {
            case .spawn(let shard): spawn(shard)
            case .configure(let shard): configure(shard)
            case .assign(let shard, let generation, let sources):
                workers[shard]?.hasHad.formUnion(sources)
                send(shard, .assign(generation: generation, sources: sources))
            case .release(let shard, let sources): send(shard, .release(sources: sources))
            case .drain(let shard): send(shard, .drain)
            case .kill(let shard): workers[shard]?.kill()
            case .quarantine(let place):
                let name = entries[place.source]?.partition.description ?? "source \(place.source)"
                notice(
                    "\(name) is quarantined: its record \(place.offset) was in hand each time a worker died",
                    source: place.source)
                discovery.ask(.quarantine(place))
            case .finish: if stopping == .fleet { stopping = .edges }
            }
        }
    }

    /// Workers that have read a topic which was made again start anew: librdkafka 2.4 to 2.8 may have kept a freed entry in its
    /// cache (its issue #4964, mended in 2.10), and then anything may become of its client.
    func renew(_ remade: Set<SourceID>) {
        // Whoever had it, though it may have been taken away when the topic was gone.
        let shards = workers.filter { !remade.isDisjoint(with: $0.value.hasHad) }.keys.sorted()
        if !shards.isEmpty { perform(fleet.restart(shards, rolling: false, at: .now)) }
    }

    private func spawn(_ shard: Int32) {
        do {
            let worker = try WorkerProcess(
                configuration.workerExecutable, shard: shard, control: folder.controlEndpoint
            ) { [mailbox] exit in mailbox.put(.exited(shard: shard, pid: exit.pid)) }
            workers[shard] = worker
            fleet.spawned(shard, pid: worker.pid)
            try? tellEdges()
        } catch {
            notice("shard \(shard): \(error)", shard: shard)
            perform(fleet.exited(shard, at: .now, random: 1))
        }
    }

    private func configure(_ shard: Int32) {
        guard let identity = workers[shard]?.identity else { return }
        var worker = WorkerConfiguration(
            streams: configuration.streams, kafka: configuration.kafka, postgres: configuration.postgres,
            schema: configuration.schema, feedEndpoint: folder.feedEndpoint(identity),
            batchRowLimit: configuration.batchRowLimit, breakerRecordCount: configuration.breakerRecordCount,
            inFlightPath: folder.inFlightPath(identity))
        worker.member = configuration.group?.member
        do {
            worker.remoteFeed = try configuration.advertisedHost.flatMap { try remote?.feed(host: $0) }
        } catch {
            notice("shard \(shard): no feed for other hosts: \(error)", shard: shard)
        }
        send(shard, .configure(worker))
    }

    /// A worker that can't be reached is dead or hangs: its exit or its silence is what we act upon.
    func send(_ shard: Int32, _ message: CoordinatorMessage) {
        guard let worker = workers[shard]?.identity else { return }
        do {
            let frame = try ControlEnvelope.encode(message)
            if !(try control.send([Array(worker.name.utf8), frame])) {
                Log.standard.say("shard \(shard) could not be reached", .warning, shard: shard)
            }
        } catch {
            Log.standard.say("shard \(shard): \(error)", .warning, shard: shard)
        }
    }
}
