import Common

/// The edges that a coordinator hears of: they start and end by themselves, and are known by what they say.
struct EdgeRegistry {
    private struct Entry {
        var report: EdgeReport
        var heardAt: ContinuousClock.Instant
        /// On the control socket; nil for one on another host.
        var route: [UInt8]?
        var messagesPerSecond = 0.0
    }

    private var entries: [String: Entry] = [:]

    private static let silenceLimit = Duration.seconds(5)
    /// Those beyond are served, and not shown.
    private static let countLimit = 1000

    mutating func heard(_ report: EdgeReport, route: [UInt8]?, at now: ContinuousClock.Instant) {
        entries = entries.filter { now - $0.value.heardAt <= Self.silenceLimit }
        var entry = Entry(report: report, heardAt: now, route: route)
        if let last = entries[report.id] {
            let seconds = (now - last.heardAt) / .seconds(1)
            // Whatever it says: whoever may look may be wrong.
            let messages = max(0, Double(report.messages) - Double(last.report.messages))
            entry.messagesPerSecond = seconds > 0 ? messages / seconds : last.messagesPerSecond
        } else if entries.count >= Self.countLimit {
            return
        }
        entries[report.id] = entry
    }

    /// Where those on this machine are told what changes.
    var routes: [[UInt8]] { entries.values.compactMap(\.route) }

    /// Those that were heard of late, by address.
    func rows(at now: ContinuousClock.Instant) -> [StatusReport.Edge] {
        entries.values.filter { now - $0.heardAt <= Self.silenceLimit }.map { entry in
            StatusReport.Edge(
                id: entry.report.id, pid: entry.report.pid, address: entry.report.address,
                clients: entry.report.clients, messagesPerSecond: entry.messagesPerSecond,
                slowClients: entry.report.slowClients)
        }.sorted { ($0.address, $0.id) < ($1.address, $1.id) }
    }
}
