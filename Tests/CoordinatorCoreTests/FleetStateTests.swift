import Common
import CoordinatorCore
import Testing

@Suite("The fleet's decisions")
struct FleetStateTests {
    private let start = ContinuousClock.now

    private func id(_ raw: Int32) -> SourceID { SourceID(rawValue: raw) }

    /// A running fleet with its sources assigned.
    private func running(_ shards: Int32, _ sources: Int32) -> FleetState {
        var fleet = FleetState(shardCount: shards, generation: 5)
        _ = fleet.scale(to: shards, at: start)
        _ = fleet.discovered(Set((0..<sources).map(id)), at: start)
        for shard in 0..<shards {
            fleet.spawned(shard, pid: 100 + shard)
            _ = fleet.hello(shard, pid: 100 + shard, at: start)
        }
        return fleet
    }

    @Test("A worker gets its share when it says hello, at a generation above the database's")
    func hello() {
        var fleet = FleetState(shardCount: 2, generation: 5)
        #expect(fleet.scale(to: 2, at: start) == [.spawn(shard: 0), .spawn(shard: 1)])
        #expect(fleet.discovered([id(0), id(1)], at: start) == [])
        fleet.spawned(0, pid: 7)
        #expect(fleet.hello(0, pid: 8, at: start) == [], "a stranger got an answer")
        #expect(
            fleet.hello(0, pid: 7, at: start) == [
                .configure(shard: 0), .assign(shard: 0, generation: 6, sources: [id(0)]),
            ])
    }

    @Test("A worker that comes back soon gets its own sources again, with a new generation")
    func restart() {
        var fleet = running(2, 4)
        let before = fleet.sources(of: 1)
        #expect(fleet.exited(1, at: start, random: 1) == [])
        #expect(fleet.nextTick(after: start) == start + .seconds(0.1))
        let soon = start + .seconds(0.1)
        #expect(fleet.tick(at: soon) == [.spawn(shard: 1)])
        fleet.spawned(1, pid: 200)
        let generation = fleet.generation + 1
        #expect(
            fleet.hello(1, pid: 200, at: soon)
                == [.configure(shard: 1), .assign(shard: 1, generation: generation, sources: before)])
        #expect(fleet.shards[1]?.restarts == 1)
    }

    @Test("A fleet that stops takes no shards, whoever asks")
    func scaledLate() {
        var fleet = running(1, 1)
        #expect(fleet.stop(at: start) == [.drain(shard: 0)])
        #expect(fleet.scale(to: 4, at: start) == [])
        #expect(fleet.exited(0, at: start, random: 0) == [.finish])
    }

    @Test("A worker that was to drain before it could be reached is told when it says hello")
    func drainsLate() {
        var fleet = FleetState(shardCount: 1, generation: 5)
        _ = fleet.scale(to: 1, at: start)
        fleet.spawned(0, pid: 7)
        #expect(fleet.stop(at: start) == [.drain(shard: 0)])
        #expect(fleet.hello(0, pid: 7, at: start) == [.drain(shard: 0)])
        #expect(fleet.exited(0, at: start, random: 0) == [.finish])
    }

    /// The shard comes back at `now`, and gets two sources that shard 0 has had meanwhile.
    private func expectReturn(of shard: Int32, _ fleet: inout FleetState, at now: ContinuousClock.Instant) {
        fleet.spawned(shard, pid: 400)
        let actions = fleet.hello(shard, pid: 400, at: now)
        guard case .release(0, let moved)? = actions.last, moved.count == 2 else {
            Issue.record("nothing was released: \(actions)")
            return
        }
        #expect(
            fleet.released(0, moved, at: now) == [
                .assign(shard: shard, generation: fleet.generation, sources: moved)
            ])
    }

    @Test("Sources of a worker that does not come back soon go to the others, and some come back with it")
    func handover() {
        var fleet = running(2, 4)
        let orphans = fleet.sources(of: 1)
        #expect(fleet.exited(1, at: start, random: 1) == [])
        #expect(fleet.tick(at: start + .seconds(0.1)) == [.spawn(shard: 1)])
        let late = start + FleetState.crashPatience
        #expect(fleet.nextTick(after: start + .seconds(0.1)) == late)
        let generation = fleet.generation + 1
        #expect(fleet.tick(at: late) == [.assign(shard: 0, generation: generation, sources: orphans)])
        // Nothing to wait for any more, and nothing taken back before the worker is there.
        #expect(fleet.nextTick(after: late) == nil)
        #expect(fleet.tick(at: late + .seconds(1)) == [])
        expectReturn(of: 1, &fleet, at: late + .seconds(2))
    }

    @Test("Sources of a worker whose backoff is long go to the others at once")
    func handoverAtOnce() {
        var fleet = running(2, 4)
        let orphans = fleet.sources(of: 1)
        var now = start
        // A third crash within a minute may wait for 0.4 s.
        for _ in 0..<2 {
            #expect(fleet.exited(1, at: now, random: 1) == [])
            now = fleet.nextTick(after: now)!
            #expect(fleet.tick(at: now) == [.spawn(shard: 1)])
            fleet.spawned(1, pid: 300)
            _ = fleet.hello(1, pid: 300, at: now)
        }
        let generation = fleet.generation + 1
        #expect(
            fleet.exited(1, at: now, random: 1) == [.assign(shard: 0, generation: generation, sources: orphans)])
        now = fleet.nextTick(after: now)!
        #expect(fleet.tick(at: now) == [.spawn(shard: 1)])
        expectReturn(of: 1, &fleet, at: now)
    }

    @Test("Shards that are added get their sources when they run, not while they start")
    func addedShards() {
        var fleet = running(1, 4)
        #expect(fleet.scale(to: 2, at: start) == [.spawn(shard: 1)])
        #expect(fleet.tick(at: start + .seconds(1)) == [])
        expectReturn(of: 1, &fleet, at: start + .seconds(1))
    }

    @Test("Scaling moves by release, released, assign, and a shard that is not wanted drains when it is empty")
    func scaling() {
        var fleet = running(2, 4)
        let moved = fleet.sources(of: 1)
        #expect(fleet.scale(to: 1, at: start) == [.release(shard: 1, sources: moved)])
        #expect(
            fleet.released(1, moved, at: start)
                == [.assign(shard: 0, generation: fleet.generation, sources: moved), .drain(shard: 1)])
        #expect(fleet.exited(1, at: start, random: 0) == [])
        #expect(fleet.shards.count == 1)
    }

    @Test("A worker that doesn't report what it was told is told again, and not sooner than it can answer")
    func repeated() {
        var fleet = running(1, 2)
        func progress(_ sources: [SourceID]) -> WorkerProgress {
            WorkerProgress(
                generation: 0, waitingFor: nil,
                sources: sources.map { .init(id: $0, nextOffset: 0, endOffset: nil, stopped: nil) }, streams: [])
        }
        #expect(fleet.heartbeat(0, progress([]), at: start + .seconds(1)) == [])
        let late = start + FleetState.repeatInterval
        let generation = fleet.generation + 1
        #expect(
            fleet.heartbeat(0, progress([id(0)]), at: late)
                == [.assign(shard: 0, generation: generation, sources: [id(1)])])
        #expect(fleet.heartbeat(0, progress([id(0)]), at: late + .seconds(1)) == [])
        _ = fleet.discovered([id(0)], at: late)
        #expect(
            fleet.heartbeat(0, progress([id(0)]), at: late + FleetState.repeatInterval)
                == [.release(shard: 0, sources: [id(1)])])
    }

    @Test("A worker that is silent for too long is killed, once")
    func silence() {
        var fleet = running(1, 1)
        let late = start + FleetState.silenceLimit + .seconds(1)
        #expect(fleet.tick(at: late) == [.kill(shard: 0)])
        #expect(fleet.tick(at: late + .seconds(1)) == [])
    }

    @Test("Stopping drains everyone, kills who takes too long, and ends when the last is gone")
    func stopping() {
        var fleet = running(2, 4)
        #expect(fleet.stop(at: start) == [.drain(shard: 0), .drain(shard: 1)])
        #expect(fleet.exited(0, at: start, random: 0) == [])
        #expect(fleet.tick(at: start + .seconds(11)) == [.kill(shard: 1)])
        #expect(fleet.exited(1, at: start, random: 0) == [.finish])
    }

    @Test("The backoff doubles to its ceiling and starts again after a quiet minute")
    func backoff() {
        var backoff = Backoff()
        var delays: [Duration] = []
        for _ in 0..<11 { delays.append(backoff.crashed(at: start, random: 1)) }
        #expect(delays[0] == .seconds(0.1) && delays[1] == .seconds(0.2) && delays[10] == .seconds(30))
        #expect(backoff.crashed(at: start + .seconds(60), random: 1) == .seconds(0.1))
    }

    @Test("Sources that a worker can't have are dealt again at the next tick, not at once")
    func lost() {
        var fleet = running(1, 2)
        fleet.lost(0, [id(1)])
        #expect(fleet.sources(of: 0) == [id(0)])
        let generation = fleet.generation + 1
        #expect(fleet.tick(at: start) == [.assign(shard: 0, generation: generation, sources: [id(1)])])
    }

    @Test("Whatever happens, no source is with two shards and none is forgotten", arguments: 0..<50)
    func properties(seed: Int) {
        var world = SimulatedFleet(sources: Set((0..<13).map(id)), at: start, seed: seed)
        for _ in 0..<400 { world.step() }
        // Left alone, it settles.
        for _ in 0..<60 { world.settle() }
        #expect(world.held.count == 13)
        let counts = world.alive.map { shard in world.held.values.count { $0 == shard } }
        #expect(counts.max()! - counts.min()! <= 1)
    }

    @Test("A source that kills its workers ends in quarantine, and the others go on", arguments: 0..<20)
    func deadly(seed: Int) {
        var world = SimulatedFleet(sources: Set((0..<13).map(id)), at: start, seed: seed)
        world.deadly = id(4)
        for _ in 0..<400 { world.step() }
        for _ in 0..<90 { world.settle() }
        #expect(world.quarantined == [id(4)])
        #expect(Set(world.held.keys) == Set((0..<13).map(id)).subtracting([id(4)]))
    }
}
