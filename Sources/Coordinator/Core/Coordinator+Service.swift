import Common
import Foundation

/// What the loop lets others know about itself: lines, status, metrics, health, the service manager. None of it waits.
extension Coordinator {
    private static let noticeLimit = 50

    func report(_ line: String) { Log.standard.say(line) }

    /// Says it now, and in `status` until many others have come.
    ///
    /// - Parameters:
    ///   - isSaid: it was said already.
    ///   - shard: whom it is about; likewise `source`.
    func notice(_ text: String, isSaid: Bool = false, shard: Int32? = nil, source: SourceID? = nil) {
        if !isSaid { Log.standard.say(text, .warning, shard: shard, source: source?.rawValue) }
        notices.append(StatusReport.Notice(at: Date.now.timeIntervalSince1970, text: text))
        if notices.count > Self.noticeLimit { notices.removeFirst() }
    }

    /// Of this coordinator's own workers, without what others of a group say.
    func ownStatus() -> StatusReport {
        var report = StatusReport(
            fleet, counters,
            StatusReport.Surroundings(
                entries: entries, discoveryFailure: discoveryFailure, notices: notices,
                uptime: ContinuousClock.now - startedAt,
                kafka: .init(
                    bootstrap: configuration.kafka["bootstrap.servers"] ?? "", embedded: services.kafkaKind),
                postgres: .init(parameters: configuration.postgres, embedded: services.hasPostgres),
                control: folder.controlEndpoint,
                remoteControl: remote.map {
                    .init(endpoint: $0.endpoint, refused: $0.refusedCount, dropped: $0.droppedCount)
                }, stalls: stalls, elsewhere: sourcesElsewhere, now: .now))
        report.metrics = metrics?.address
        report.droppedFrames = droppedFrames
        report.edges = edges.rows(at: .now)
        addChildren(to: &report)
        return report
    }

    func status() -> StatusReport {
        var report = ownStatus()
        addMembers(to: &report)
        return report
    }

    /// Everything has been spawned.
    func started() {
        func count(_ number: Int, _ what: String) -> String { "\(number) \(what)\(number == 1 ? "" : "s")" }
        let edges = edgeAddresses.isEmpty ? "" : ", \(count(edgeAddresses.count, "edge"))"
        report("started: \(count(Int(configuration.shards), "shard"))\(edges), pid \(getpid())")
        let scheme = configuration.edges.certificate == nil ? "http" : "https"
        for address in edgeAddresses { report("dashboard and clients: \(scheme)://\(address.reachable)") }
        if let metrics { report("metrics and health on http://\(metrics.address)/metrics, /livez, /readyz") }
        notifier?.started(status: status().summary, at: .now)
    }

    /// Once a tick.
    func ticked() {
        let report = ownStatus()
        stalls.note(report.sources.filter { $0.host == nil }, at: .now)
        tellGroup(report)
        metrics?.publish(snapshot(report))
        notifier?.say(status: report.summary)
    }

    /// At the end of each turn, the last one too.
    func turned() {
        notifier?.turned(isStopping: stopping != nil, at: .now)
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

extension ListenAddress {
    /// For somebody on this machine: one that listens everywhere is reached here.
    var reachable: ListenAddress {
        ListenAddress(host: ["0.0.0.0", "::", "*"].contains(host) ? "127.0.0.1" : host, port: port)
    }
}

extension StatusReport {
    /// One line of health.
    var summary: String {
        guard healthy else { return "not healthy: " + problems.joined(separator: "; ") }
        return "healthy, generation \(generation), \(shards.count) shards, \(sources.count) sources"
    }
}
