package import Common

/// What the coordinator exports. Names by https://prometheus.io/docs/practices/naming/; docs/metrics.md has the same
/// table for people.
package enum FleetMetrics {
    package typealias Family = MetricFamily<FleetSnapshot>

    package static let all: [Family] = fleet + streams + sources + shards

    private static let fleet = [
        Family("millrace_healthy", .gauge, "1 while the fleet is healthy, else 0.") {
            [MetricSample($0.report.healthy ? 1 : 0)]
        },
        Family("millrace_problems", .gauge, "Reasons why the fleet is not healthy; /readyz says them.") {
            [MetricSample($0.report.problems.count)]
        },
        Family("millrace_generation", .gauge, "Generation of the present assignment.") {
            [MetricSample($0.report.generation)]
        },
        Family("millrace_uptime_seconds", .gauge, "Time since the coordinator started.") {
            [MetricSample($0.report.uptime)]
        },
        Family(
            "millrace_control_dropped_total", .counter, "Frames on the control channel that were no message of ours."
        ) { [MetricSample($0.report.droppedFrames + ($0.report.remoteControl?.dropped ?? 0))] },
        Family("millrace_coordinator_cpu_seconds_total", .counter, "CPU time of the coordinator's process.") {
            [MetricSample($0.processorSeconds)]
        },
        Family(
            "millrace_coordinator_resident_memory_bytes", .gauge, "Resident memory of the coordinator's process."
        ) { [MetricSample($0.residentBytes)] },
    ]

    private static let streams = [
        Family("millrace_rows_total", .counter, "Rows committed since the coordinator started.") {
            perStream($0) { .number(Double($0.rows)) }
        },
        Family(
            "millrace_dead_letters_total", .counter, "Records set aside as dead letters since the coordinator started."
        ) { perStream($0) { .number(Double($0.deadLetters)) } },
        Family("millrace_transactions_total", .counter, "Transactions since the coordinator started.") {
            perStream($0) { .number(Double($0.transactions)) }
        },
        Family("millrace_batch_records", .histogram, "Records of a transaction.") {
            perStream($0) { .histogram($0.batchSize, perUnit: 1) }
        },
        Family("millrace_commit_seconds", .histogram, "Time that transactions took.") {
            perStream($0) { .histogram($0.commitTime, perUnit: milliseconds) }
        },
        Family(
            "millrace_kafka_to_commit_seconds", .histogram, "Time from a record's timestamp in Kafka to its COMMIT."
        ) { perStream($0) { .histogram($0.latency, perUnit: milliseconds) } },
    ]

    /// A second's: histograms count those.
    private static let milliseconds = 1000.0

    private static func perStream(_ snapshot: FleetSnapshot, _ value: (WorkerProgress.Stream) -> MetricSample.Value)
        -> [MetricSample]
    {
        // Also those of which nothing was stored: a rate begins at zero.
        Set(snapshot.report.streams.map(\.name)).union(snapshot.totals.keys).sorted().map { name in
            MetricSample(value(snapshot.totals[name] ?? .init(name: name)), [("stream", name)])
        }
    }
}
