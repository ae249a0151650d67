import Common

/// Rows and dead letters of the whole fleet, and rates: workers count from their own start.
struct FleetCounters {
    private struct Worker {
        var progress: WorkerProgress
        var at: ContinuousClock.Instant
        var rowsPerSecond = 0.0
    }

    private var workers: [Int32: Worker] = [:]
    /// Of workers that are gone.
    private var past: [String: WorkerProgress.Stream] = [:]

    mutating func heartbeat(_ shard: Int32, _ progress: WorkerProgress, at now: ContinuousClock.Instant) {
        var worker = Worker(progress: progress, at: now)
        if let before = workers[shard] {
            let seconds = (now - before.at) / .seconds(1)
            let rows = progress.streams.reduce(0) { $0 + $1.rows } - before.progress.streams.reduce(0) { $0 + $1.rows }
            worker.rowsPerSecond = seconds > 0 ? Double(rows) / seconds : 0
        }
        workers[shard] = worker
    }

    mutating func exited(_ shard: Int32) {
        guard let worker = workers.removeValue(forKey: shard) else { return }
        for stream in worker.progress.streams {
            past[stream.name, default: .init(name: stream.name)].rows += stream.rows
            past[stream.name]!.deadLetters += stream.deadLetters
        }
    }

    func rowsPerSecond(_ shard: Int32) -> Double { workers[shard]?.rowsPerSecond ?? 0 }

    /// By the streams' names.
    var totals: [String: WorkerProgress.Stream] {
        var totals = past
        for stream in workers.values.flatMap(\.progress.streams) {
            totals[stream.name, default: .init(name: stream.name)].rows += stream.rows
            totals[stream.name]!.deadLetters += stream.deadLetters
        }
        return totals
    }
}
