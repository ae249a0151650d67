package import Common

/// Rows, dead letters and times of the whole fleet, and rates: workers count from their own start.
package struct FleetCounters: Sendable {
    private struct Worker: Sendable {
        var progress: WorkerProgress
        var at: ContinuousClock.Instant
        var rowsPerSecond: [String: Double] = [:]
        var processorPercent = 0.0
    }

    /// By how much a heartbeat's times count less with each that follows: about ten count.
    private static let decay = 0.9

    private var workers: [Int32: Worker] = [:]
    /// Of workers that are gone.
    private var past: [String: WorkerProgress.Stream] = [:]
    private var recentLatency: [String: Histogram] = [:]

    package init() {}

    package mutating func heartbeat(_ shard: Int32, _ progress: WorkerProgress, at now: ContinuousClock.Instant) {
        var worker = Worker(progress: progress, at: now)
        if let before = workers[shard] {
            let seconds = (now - before.at) / .seconds(1)
            let earlier = Dictionary(before.progress.streams.map { ($0.name, $0) }) { first, _ in first }
            for stream in progress.streams {
                guard let old = earlier[stream.name], seconds > 0 else { continue }
                worker.rowsPerSecond[stream.name] = Double(stream.rows - old.rows) / seconds
                recentLatency[stream.name, default: .init()].decay(by: Self.decay)
                recentLatency[stream.name]! += stream.latency.since(old.latency)
            }
            let used = progress.processorSeconds - before.progress.processorSeconds
            if seconds > 0 { worker.processorPercent = used / seconds * 100 }
        }
        workers[shard] = worker
    }

    package mutating func exited(_ shard: Int32) {
        guard let worker = workers.removeValue(forKey: shard) else { return }
        for stream in worker.progress.streams { past[stream.name, default: .init(name: stream.name)].add(stream) }
    }

    func rowsPerSecond(_ shard: Int32) -> Double {
        workers[shard]?.rowsPerSecond.values.reduce(0, +) ?? 0
    }

    func rowsPerSecond(of stream: String) -> Double {
        workers.values.reduce(0) { $0 + ($1.rowsPerSecond[stream] ?? 0) }
    }

    func processorPercent(_ shard: Int32) -> Double { workers[shard]?.processorPercent ?? 0 }

    func residentBytes(_ shard: Int32) -> Int64 { workers[shard]?.progress.residentBytes ?? 0 }

    func processorSeconds(_ shard: Int32) -> Double? { workers[shard]?.progress.processorSeconds }

    /// When the shard's worker was last heard of.
    func heard(_ shard: Int32) -> ContinuousClock.Instant? { workers[shard]?.at }

    func recentLatency(of stream: String) -> Histogram { recentLatency[stream] ?? .init() }

    /// By the streams' names, since the coordinator started.
    package var totals: [String: WorkerProgress.Stream] {
        var totals = past
        for stream in workers.values.flatMap(\.progress.streams) {
            totals[stream.name, default: .init(name: stream.name)].add(stream)
        }
        return totals
    }
}

extension WorkerProgress.Stream {
    fileprivate mutating func add(_ other: WorkerProgress.Stream) {
        rows += other.rows
        deadLetters += other.deadLetters
        transactions += other.transactions
        latency += other.latency
        commitTime += other.commitTime
        batchSize += other.batchSize
    }
}
