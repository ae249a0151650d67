import Common

/// Metrics of each source and each shard.
extension FleetMetrics {
    static let sources = [
        Family("millrace_source_next_offset", .gauge, "Offset of the next record to store.") {
            perSource($0) { $0.nextOffset.map(Double.init) }
        },
        Family("millrace_source_end_offset", .gauge, "Last stable offset of the partition.") {
            perSource($0) { $0.endOffset.map(Double.init) }
        },
        Family("millrace_source_lag_records", .gauge, "End offset minus next offset, once both are known.") {
            perSource($0) { $0.lag.map(Double.init) }
        },
        Family(
            "millrace_source_state", .gauge,
            "1 for the state that the source is in: \(sourceStates.joined(separator: ", "))."
        ) { $0.report.sources.map { source in MetricSample(1, labels(source) + [("state", source.state)]) } },
        Family("millrace_sources", .gauge, "Sources by state.") { snapshot in
            sourceStates.map { state in
                MetricSample(snapshot.report.sources.count { $0.state == state }, [("state", state)])
            }
        },
    ]

    static let shards = [
        Family(
            "millrace_shard_state", .gauge,
            "1 for the state that the shard is in: \(shardStates.joined(separator: ", "))."
        ) { $0.report.shards.map { MetricSample(1, [("shard", String($0.id)), ("state", $0.state)]) } },
        Family("millrace_shard_waiting", .gauge, "1 while the shard waits for kafka or postgres.") {
            $0.report.shards.compactMap { shard in
                shard.waitingFor.map { MetricSample(1, [("shard", String(shard.id)), ("waiting_for", $0)]) }
            }
        },
        Family("millrace_shard_restarts_total", .counter, "Times that the shard's worker was started again.") {
            $0.report.shards.map { MetricSample($0.restarts, [("shard", String($0.id))]) }
        },
        Family(
            "millrace_shard_last_heartbeat_timestamp_seconds", .gauge,
            "When the shard's worker was last heard of, in seconds since 1970."
        ) { perWorker($0) { $0.heardAt } },
        Family("millrace_shard_cpu_seconds_total", .counter, "CPU time of the shard's worker.") {
            perWorker($0) { $0.processorSeconds }
        },
        Family("millrace_shard_resident_memory_bytes", .gauge, "Resident memory of the shard's worker.") {
            $0.report.shards.compactMap { shard in
                shard.residentBytes > 0 ? MetricSample(shard.residentBytes, [("shard", String(shard.id))]) : nil
            }
        },
    ]

    /// As in `StatusReport`.
    private static let sourceStates = ["running", "paused", "quarantined", "stopped", "unassigned"]
    private static let shardStates = ["starting", "running", "draining", "backoff", "stuck"]

    private static func labels(_ source: StatusReport.Source) -> [(name: String, value: String)] {
        [("stream", source.stream), ("topic", source.topic), ("partition", String(source.partition))]
    }

    private static func perSource(_ snapshot: FleetSnapshot, _ value: (StatusReport.Source) -> Double?)
        -> [MetricSample]
    {
        snapshot.report.sources.compactMap { source in value(source).map { MetricSample($0, labels(source)) } }
    }

    private static func perWorker(_ snapshot: FleetSnapshot, _ value: (FleetSnapshot.Worker) -> Double)
        -> [MetricSample]
    {
        snapshot.workers.sorted { $0.key < $1.key }.map { MetricSample(value($0.value), [("shard", String($0.key))]) }
    }
}
