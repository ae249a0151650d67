import Common
import Foundation

/// What the loop lets others know about itself: metrics, health, the service manager. None of it waits.
extension Coordinator {
    /// Every worker has been spawned.
    func started() {
        if let metrics { report("metrics and health on http://\(metrics.address)/metrics, /livez, /readyz") }
        notifier?.started(status: status().summary, at: .now)
    }

    /// Once a tick.
    func ticked() {
        guard metrics != nil || notifier != nil else { return }
        let report = status()
        metrics?.publish(snapshot(report))
        notifier?.say(status: report.summary)
    }

    /// At the end of each turn, the last one too.
    func turned() {
        notifier?.turned(isStopping: fleet.isStopping, at: .now)
        if let failure = notifier?.takeFailure() { notice(failure) }
    }

    private func snapshot(_ report: StatusReport) -> FleetSnapshot {
        let now = ContinuousClock.now
        var workers: [Int32: FleetSnapshot.Worker] = [:]
        for shard in report.shards {
            guard let seconds = counters.processorSeconds(shard.id), let heard = counters.heard(shard.id) else {
                continue
            }
            workers[shard.id] = FleetSnapshot.Worker(
                processorSeconds: seconds, heardAt: Date.now.timeIntervalSince1970 - (now - heard) / .seconds(1))
        }
        return FleetSnapshot(
            report: report, totals: counters.totals, workers: workers,
            processorSeconds: ProcessUsage.processorSeconds, residentBytes: ProcessUsage.residentBytes, at: now)
    }
}

extension StatusReport {
    /// One line of health.
    var summary: String {
        guard healthy else { return "not healthy: " + problems.joined(separator: "; ") }
        return "healthy, generation \(generation), \(shards.count) shards, \(sources.count) sources"
    }
}
