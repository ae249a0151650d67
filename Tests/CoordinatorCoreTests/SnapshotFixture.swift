import Common
import CoordinatorCore

/// A fleet of two shards and three sources in three states, with what has been counted.
enum SnapshotFixture {
    static func make(problems: [String] = [], at now: ContinuousClock.Instant = .now) -> FleetSnapshot {
        func id(_ raw: Int32) -> SourceID { SourceID(rawValue: raw) }
        var report = StatusReport(
            problems: problems, generation: 7, uptime: 12.5, pid: 42, kafka: .init(bootstrap: "k:9092", embedded: nil),
            postgres: .init(parameters: [:]), control: "ipc:///c",
            shards: [
                .init(id: 0, pid: 1, state: "running", waitingFor: nil, uptime: 3, restarts: 2, sources: [id(0)]),
                .init(id: 1, pid: nil, state: "stuck", waitingFor: "postgres", uptime: 0, restarts: 0, sources: []),
            ],
            sources: [
                .init(
                    id: id(0), stream: "events", topic: "events", partition: 0, shard: 0, nextOffset: 90,
                    endOffset: 100, state: "running", reason: nil),
                .init(
                    id: id(1), stream: "events", topic: "events", partition: 1, shard: nil, nextOffset: nil,
                    endOffset: nil, state: "quarantined", reason: "quarantine: 5"),
                .init(
                    id: id(2), stream: "events", topic: "a\"b\\c\nd", partition: 0, shard: nil, nextOffset: 5,
                    endOffset: nil, state: "paused", reason: "operator me"),
            ],
            streams: [
                .init(
                    name: "events", rows: 0, deadLetters: 0, rowsPerSecond: 0, lag: 10, state: "running",
                    commitLatency: .init(Histogram())),
                .init(
                    name: "idle", rows: 0, deadLetters: 0, rowsPerSecond: 0, lag: 0, state: "running",
                    commitLatency: .init(Histogram())),
            ], notices: [])
        report.shards[0].residentBytes = 4096
        var events = WorkerProgress.Stream(name: "events")
        events.rows = 123_456_789
        events.deadLetters = 3
        events.transactions = 2
        for milliseconds in [1.0, 7, 7, 2_000_000] { events.latency.add(milliseconds) }
        for size in [5000.0, 30] { events.batchSize.add(size) }
        return FleetSnapshot(
            report: report, totals: ["events": events],
            workers: [0: .init(processorSeconds: 1.25, heardAt: 1_700_000_000.5)], processorSeconds: 0.5,
            residentBytes: 8192, at: now)
    }
}
