private import CLinux
import Common

extension StatusReport {
    /// What a report is made of beside the fleet's state.
    struct Surroundings {
        var entries: [SourceID: SourceRegistry.Entry]
        var discoveryFailure: String?
        var notices: [Notice]
        var uptime: Duration
        var kafka: Kafka
        var postgres: Postgres
        var control: String
        var remoteControl: RemoteControl?
        var stalls: StallWatch
        /// What other hosts have.
        var elsewhere: [SourceID: Source]
        var now: ContinuousClock.Instant
    }

    /// A shard that has been without progress for so long is called stuck.
    private static let stuckAfter = Duration.seconds(10)

    /// The fleet as its coordinator sees it now.
    init(_ fleet: FleetState, _ counters: FleetCounters, _ around: Surroundings) {
        let sources = Self.sources(fleet, around)
        let shards = fleet.shards.sorted { $0.key < $1.key }.map { id, shard in
            var row = Shard(
                id: id, pid: shard.pid,
                state: shard.isStuck(at: around.now, for: Self.stuckAfter) ? "stuck" : shard.stateName,
                waitingFor: shard.progress?.waitingFor?.rawValue,
                uptime: shard.pid == nil ? 0 : (around.now - shard.since) / .seconds(1), restarts: shard.restarts,
                sources: fleet.sources(of: id))
            row.rowsPerSecond = counters.rowsPerSecond(id)
            row.lag = Self.lag(sources.filter { $0.shard == id })
            row.processorPercent = counters.processorPercent(id)
            row.residentBytes = counters.residentBytes(id)
            return row
        }
        let totals = counters.totals
        let streams = Set(around.entries.values.map(\.stream)).sorted().map { name in
            let own = sources.filter { $0.stream == name }
            var stream = Stream(
                name: name, rows: totals[name]?.rows ?? 0, deadLetters: totals[name]?.deadLetters ?? 0,
                rowsPerSecond: counters.rowsPerSecond(of: name), lag: Self.lag(own), state: Self.worst(own),
                commitLatency: Percentiles(counters.recentLatency(of: name)))
            stream.absentColumns = Self.absentColumns(fleet, name)
            return stream
        }
        self.init(
            problems: Self.problems(shards, sources, around, isDrained: fleet.isDrained),
            generation: fleet.generation, uptime: around.uptime / .seconds(1), pid: getpid(), kafka: around.kafka,
            postgres: around.postgres, control: around.control, shards: shards, sources: sources, streams: streams,
            notices: around.notices)
        remoteControl = around.remoteControl
    }

    private static func sources(_ fleet: FleetState, _ around: Surroundings) -> [Source] {
        var owners: [SourceID: Int32] = [:]
        for shard in fleet.shards.keys { for source in fleet.sources(of: shard) { owners[source] = shard } }
        let progress = fleet.shards.values.compactMap(\.progress).flatMap(\.sources)
        let known = Dictionary(progress.map { ($0.id, $0) }) { first, second in
            first.nextOffset >= second.nextOffset ? first : second
        }
        return around.entries.values.sorted { $0.id < $1.id }.map { entry in
            if owners[entry.id] == nil, entry.hold == nil, let source = around.elsewhere[entry.id] { return source }
            let source = known[entry.id]
            let (state, reason): (String, String?) =
                if let hold = entry.hold {
                    (hold.word, hold.reason)
                } else if let reason = source?.stopped {
                    ("stopped", reason)
                } else {
                    (owners[entry.id] == nil ? "unassigned" : "running", nil)
                }
            return Source(
                id: entry.id, stream: entry.stream, topic: entry.partition.topic,
                partition: entry.partition.partition, shard: owners[entry.id],
                nextOffset: source?.nextOffset ?? entry.nextOffset, endOffset: source?.endOffset ?? entry.endOffset,
                state: state, reason: reason, heldBack: source?.heldBack)
        }
    }

    /// Those that no worker has found, of all that have looked.
    private static func absentColumns(_ fleet: FleetState, _ stream: String) -> [AbsentColumn] {
        let found = fleet.shards.values.compactMap { shard in
            shard.progress?.streams.first { $0.name == stream }?.absentColumns
        }
        return found.first?.filter { absent in
            found.allSatisfy { $0.contains { $0.column == absent.column } }
        } ?? []
    }

    /// Nil as soon as one of them is. Also of what does not run: its records wait too.
    private static func lag(_ sources: [Source]) -> Int64? {
        sources.filter { !ReplaySource.isOne(topic: $0.topic) }.reduce(Int64?(0)) { sum, source in
            sum.flatMap { sum in source.lag.map { sum + $0 } }
        }
    }

    private static func worst(_ sources: [Source]) -> String {
        ["stopped", "quarantined", "paused", "unassigned"].first { state in sources.contains { $0.state == state } }
            ?? "running"
    }

    /// What a person decided, a pause or a drain, is no problem.
    private static func problems(
        _ shards: [Shard], _ sources: [Source], _ around: Surroundings, isDrained: Bool
    ) -> [String] {
        var problems: [String] = []
        if let discoveryFailure = around.discoveryFailure { problems.append("discovery: \(discoveryFailure)") }
        for shard in shards {
            if shard.state != "running" { problems.append("shard \(shard.id) is \(shard.state)") }
            if let waiting = shard.waitingFor { problems.append("shard \(shard.id) waits for \(waiting)") }
        }
        guard !isDrained else { return problems }
        // One line a cause, not a line a partition.
        var causes: [String: [Source]] = [:]
        for source in sources where source.state != "running" && source.host == nil {
            let isDecided = source.state == "paused" && source.reason?.hasPrefix("breaker") != true
            if !isDecided { causes[source.reason ?? source.state, default: []].append(source) }
        }
        for source in sources {
            guard let held = source.heldBack, source.host == nil else { continue }
            problems.append(
                "\(source.topic):\(source.partition): \(held.offsets) offsets wait behind an open transaction, for "
                    + "\(Int(held.seconds)) s")
        }
        // Of those that wait for something it has been said.
        let waiting = Set(shards.filter { $0.waitingFor != nil }.map(\.id))
        for source in sources where source.shard.map({ !waiting.contains($0) }) ?? false {
            guard let seconds = around.stalls.seconds(source.id, at: around.now) else { continue }
            problems.append(
                "\(source.topic):\(source.partition): \(source.lag ?? 0) records wait, and none has been read for \(seconds) s"
            )
        }
        for (cause, sources) in causes.sorted(by: { $0.key < $1.key }) {
            let first = sources[0]
            let what = sources.count == 1 ? "\(first.topic):\(first.partition)" : "\(sources.count) sources"
            problems.append("\(what) \(first.state)" + (cause == first.state ? "" : ": \(cause)"))
        }
        return problems
    }
}

extension FleetState.Shard {
    /// The word in `status`. A worker that has not reported yet may still wait for something: else a fleet would be
    /// healthy for a moment, and then not.
    var stateName: String {
        switch state {
        case .starting: "starting"
        case .running: progress == nil ? "starting" : "running"
        case .draining: "draining"
        case .backoff: "backoff"
        }
    }
}
