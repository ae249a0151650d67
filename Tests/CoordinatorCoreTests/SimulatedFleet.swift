import Common
import CoordinatorCore
import TestSupport
import Testing

/// Workers without processes: does at once what the fleet's actions say, and lets random things happen.
struct SimulatedFleet {
    private var fleet = FleetState(shardCount: 3, generation: 0)
    private var now: ContinuousClock.Instant
    private var queue: [FleetState.Action] = []
    private var pid: Int32 = 1000
    private var random: SeededGenerator
    /// What workers believe they have.
    private(set) var held: [SourceID: Int32] = [:]
    private(set) var alive: Set<Int32> = []
    private(set) var quarantined: Set<SourceID> = []
    /// A source with a record that kills every worker.
    var deadly: SourceID?

    init(sources: Set<SourceID>, at start: ContinuousClock.Instant, seed: Int) {
        now = start
        random = SeededGenerator(seed: UInt64(seed))
        queue = fleet.scale(to: 3, at: now) + fleet.discovered(sources, at: now)
        perform()
    }

    private mutating func perform() {
        while !queue.isEmpty {
            switch queue.removeFirst() {
            case .spawn(let shard):
                pid += 1
                fleet.spawned(shard, pid: pid)
                alive.insert(shard)
                queue += fleet.hello(shard, pid: pid, at: now)
            case .assign(let shard, _, let sources):
                for source in sources {
                    #expect(held[source] == nil || held[source] == shard, "\(source) is with two shards")
                    held[source] = shard
                }
            case .release(let shard, let sources):
                for source in sources where held[source] == shard { held[source] = nil }
                queue += fleet.released(shard, sources, at: now)
            case .drain(let shard), .kill(let shard): exit(shard)
            case .quarantine(let place): quarantined.insert(place.source)
            case .configure, .finish: break
            }
        }
    }

    private mutating func exit(_ shard: Int32, inFlight: InFlightRecord.Place? = nil) {
        // What is dead can be told nothing.
        guard alive.remove(shard) != nil else { return }
        held = held.filter { $0.value != shard }
        queue += fleet.exited(shard, inFlight: inFlight, at: now, random: .random(in: 0...1, using: &random))
    }

    private mutating func dieOfDeadlyRecord() {
        guard let deadly, let victim = held[deadly] else { return }
        exit(victim, inFlight: InFlightRecord.Place(source: deadly, offset: 7))
    }

    private mutating func beat() {
        for shard in alive.sorted() {
            let sources = held.filter { $0.value == shard }.keys.sorted()
            let progress = WorkerProgress(
                generation: 0, waitingFor: nil,
                sources: sources.map { .init(id: $0, nextOffset: 0, endOffset: nil, stopped: nil) }, streams: [])
            queue += fleet.heartbeat(shard, progress, at: now)
        }
    }

    /// Time passes, and something happens.
    mutating func step() {
        now += .milliseconds(Int64.random(in: 1...2000, using: &random))
        beat()
        perform()
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<3: if let victim = alive.sorted().randomElement(using: &random) { exit(victim) }
        case 3: queue += fleet.scale(to: Int32.random(in: 1...5, using: &random), at: now)
        case 4: queue += fleet.restart(alive.sorted(), rolling: Bool.random(using: &random), at: now)
        default: queue += fleet.tick(at: now)
        }
        perform()
        dieOfDeadlyRecord()
        perform()
    }

    /// A quiet second.
    mutating func settle() {
        now += .seconds(1)
        beat()
        queue += fleet.tick(at: now)
        perform()
        dieOfDeadlyRecord()
        perform()
    }
}
