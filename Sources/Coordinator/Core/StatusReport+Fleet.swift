private import CLinux
import Common

extension StatusReport {
    /// The fleet as its coordinator sees it now.
    init(
        fleet: FleetState, entries: [SourceID: SourceRegistry.Entry], counters: FleetCounters,
        discoveryFailure: String?,
        uptime: Duration, bootstrap: String, control: String
    ) {
        var owners: [SourceID: Int32] = [:]
        for shard in fleet.shards.keys { for source in fleet.sources(of: shard) { owners[source] = shard } }
        let progress = fleet.shards.values.compactMap(\.progress).flatMap(\.sources)
        let known = Dictionary(progress.map { ($0.id, $0) }) { first, second in
            first.nextOffset >= second.nextOffset ? first : second
        }
        let sources = entries.values.sorted { $0.id < $1.id }.map { entry in
            let source = known[entry.id]
            return Source(
                id: entry.id, topic: entry.partition.topic, partition: entry.partition.partition,
                shard: owners[entry.id], nextOffset: source?.nextOffset, endOffset: source?.endOffset,
                state: source?.stopped != nil ? "stopped" : owners[entry.id] == nil ? "unassigned" : "running")
        }
        /// Nil as soon as one of them is.
        func lag(_ of: [Source]) -> Int64? {
            of.reduce(Int64?(0)) { sum, source in sum.flatMap { sum in source.lag.map { sum + $0 } } }
        }
        let totals = counters.totals
        let names = Set(entries.values.map(\.stream)).sorted()
        let shards = fleet.shards.sorted { $0.key < $1.key }.map { id, shard in
            Shard(
                id: id, pid: shard.pid, state: shard.state.name, restarts: shard.restarts,
                sources: fleet.sources(of: id),
                rowsPerSecond: counters.rowsPerSecond(id), lag: lag(sources.filter { $0.shard == id }))
        }
        let waits = fleet.shards.values.contains { $0.state != .running || $0.progress?.waitingFor != nil }
        self.init(
            healthy: !waits && discoveryFailure == nil && sources.allSatisfy { $0.state == "running" },
            generation: fleet.generation,
            uptime: uptime / .seconds(1), pid: getpid(),
            kafka: Kafka(bootstrap: bootstrap, embedded: nil), control: control, shards: shards, sources: sources,
            streams: names.map { name in
                Stream(
                    name: name, rows: totals[name]?.rows ?? 0, deadLetters: totals[name]?.deadLetters ?? 0,
                    lag: lag(sources.filter { entries[$0.id]?.stream == name }))
            })
    }
}

extension FleetState.ShardState {
    /// The word in `status`.
    var name: String {
        switch self {
        case .starting: "starting"
        case .running: "running"
        case .draining: "draining"
        case .backoff: "backoff"
        }
    }
}
