import Common
import CoordinatorCore
import Testing

@Suite("Supervision")
struct SupervisionTests {
    private let start = ContinuousClock.now

    private func id(_ raw: Int32) -> SourceID { SourceID(rawValue: raw) }

    private func running(_ shards: Int32, _ sources: Int32) -> FleetState {
        var fleet = FleetState(shardCount: shards, generation: 5)
        _ = fleet.scale(to: shards, at: start)
        _ = fleet.discovered(Set((0..<sources).map(id)), at: start)
        for shard in 0..<shards { come(shard, &fleet, at: start) }
        return fleet
    }

    private func come(_ shard: Int32, _ fleet: inout FleetState, at now: ContinuousClock.Instant) {
        fleet.spawned(shard, pid: 100 + shard)
        _ = fleet.hello(shard, pid: 100 + shard, at: now)
    }

    /// Everything a shard has, at a position, behind an end.
    private func progress(
        _ fleet: FleetState, _ shard: Int32, at next: Int64 = 0, end: Int64 = 0,
        waitingFor: WorkerProgress.Waiting? = nil, stopped: String? = nil
    ) -> WorkerProgress {
        WorkerProgress(
            generation: fleet.generation, waitingFor: waitingFor,
            sources: fleet.sources(of: shard).map {
                .init(id: $0, nextOffset: next, endOffset: end, stopped: stopped)
            }, streams: [])
    }

    @Test("The same record in hand at three deaths within a minute puts its source into quarantine")
    func quarantine() {
        var fleet = running(1, 2)
        let place = InFlightRecord.Place(source: id(1), offset: 7)
        var now = start
        for turn in 1...3 {
            let actions = fleet.exited(0, inFlight: place, at: now, random: 0)
            #expect(actions.contains(.quarantine(place)) == (turn == 3))
            now += .milliseconds(10)
            #expect(fleet.tick(at: now).contains(.spawn(shard: 0)))
            come(0, &fleet, at: now)
        }
        #expect(fleet.sources(of: 0) == [id(0)])
        // The database may not know yet.
        _ = fleet.discovered([id(0), id(1)], at: now)
        #expect(fleet.sources(of: 0) == [id(0)])
        fleet.forgive([id(1)])
        _ = fleet.discovered([id(0), id(1)], at: now)
        #expect(fleet.sources(of: 0) == [id(0), id(1)])
    }

    @Test("Deaths with other records in hand, or far apart, quarantine nothing")
    func noQuarantine() {
        var fleet = running(1, 2)
        var now = start
        for offset in Int64(0)..<9 {
            let place = InFlightRecord.Place(source: id(1), offset: offset / 2)
            let actions = fleet.exited(0, inFlight: place, at: now, random: 0)
            #expect(actions == [])
            now += .seconds(1)
            _ = fleet.tick(at: now)
            come(0, &fleet, at: now)
        }
        for _ in 0..<5 {
            now += .seconds(31)
            #expect(fleet.exited(0, inFlight: .init(source: id(1), offset: 99), at: now, random: 0) == [])
            now += .seconds(1)
            _ = fleet.tick(at: now)
            come(0, &fleet, at: now)
        }
    }

    @Test("A worker that has records and advances nothing is killed after the limit; progress starts it anew")
    func stuck() {
        var fleet = running(1, 2)
        var now = start
        func pass(_ seconds: Int, at next: Int64) -> [FleetState.Action] {
            var actions: [FleetState.Action] = []
            for _ in 0..<seconds {
                now += .seconds(1)
                _ = fleet.heartbeat(0, progress(fleet, 0, at: next, end: 10), at: now)
                actions += fleet.tick(at: now)
            }
            return actions
        }
        #expect(pass(50, at: 3) == [])
        #expect(pass(50, at: 4) == [])
        #expect(fleet.shards[0]!.isStuck(at: now, for: .seconds(10)))
        #expect(pass(20, at: 4) == [.kill(shard: 0)])
    }

    @Test(
        "An outage, a stopped source, or nothing to do is not being stuck",
        arguments: [WorkerProgress.Waiting.kafka, .postgres, nil])
    func notStuck(waiting: WorkerProgress.Waiting?) {
        var fleet = running(1, 2)
        var now = start
        for _ in 0..<300 {
            now += .seconds(1)
            let stopped = waiting == nil ? "its table is gone" : nil
            _ = fleet.heartbeat(
                0, progress(fleet, 0, at: 3, end: 10, waitingFor: waiting, stopped: stopped), at: now)
            #expect(fleet.tick(at: now) == [])
        }
    }

    @Test("A rolling restart drains one shard at a time, the next when the one before has everything again")
    func rolling() {
        var fleet = running(3, 6)
        var now = start
        func beat() -> [FleetState.Action] {
            now += .milliseconds(100)
            return fleet.shards.keys.sorted().filter { fleet.shards[$0]?.state == .running }
                .flatMap { fleet.heartbeat($0, progress(fleet, $0), at: now) }
        }
        _ = beat()
        var actions = fleet.restart([0, 1, 2], rolling: true, at: now)
        for shard in Int32(0)..<3 {
            #expect(actions == [.drain(shard: shard)])
            #expect(beat() == [], "two shards were away at once")
            let own = fleet.sources(of: shard)
            #expect(fleet.released(shard, own, at: now) == [], "sources left a shard that comes back")
            #expect(fleet.exited(shard, at: now, random: 1) == [.spawn(shard: shard)])
            come(shard, &fleet, at: now)
            #expect(fleet.sources(of: shard) == own)
            actions = beat()
        }
        #expect(actions == [] && fleet.shards.values.allSatisfy { $0.restarts == 1 })
    }

    @Test("Scaling to none keeps the coordinator, and back again deals everything out")
    func drained() {
        var fleet = running(2, 4)
        let released = fleet.scale(to: 0, at: start)
        #expect(released.count == 2 && fleet.isDrained)
        for shard in Int32(0)..<2 {
            #expect(fleet.released(shard, fleet.sources(of: shard), at: start) == [.drain(shard: shard)])
            #expect(fleet.exited(shard, at: start, random: 0) == [])
        }
        #expect(fleet.scale(to: 1, at: start) == [.spawn(shard: 0)])
        come(0, &fleet, at: start)
        #expect(fleet.sources(of: 0).count == 4)
    }

    @Test("The second time it is told to stop, nobody is waited for")
    func secondStop() {
        var fleet = running(2, 4)
        #expect(fleet.stop(at: start) == [.drain(shard: 0), .drain(shard: 1)])
        #expect(fleet.stop(at: start) == [.kill(shard: 0), .kill(shard: 1)])
    }
}
