import Common

/// An edge at one moment, as its metrics show it.
struct EdgeSnapshot {
    struct Stream {
        var subscriptions: Int
        var groups: Int
        var rows: Int64
        var ringByteCount: Int
        var keyedRowsByteCount: Int
        var feed: EdgeCounters.Feed
        /// Milliseconds.
        var delivery: Histogram
    }

    var clients: Int
    var sent: (messages: Int64, byteCount: Int64)
    var refusedConnections: Int64
    var counters: EdgeCounters.Values
    var unacknowledged: Int
    var isDraining: Bool
    var streams: [String: Stream]
    var readings: Int64
    var readingByteCount: Int
    var processorSeconds: Double
    var residentBytes: Int64
}

extension Edge {
    var snapshot: EdgeSnapshot {
        let counters = counters.now
        return EdgeSnapshot(
            clients: clients.count, sent: sent, refusedConnections: server?.refusedConnections ?? 0, counters: counters,
            unacknowledged: publisher?.waitingCount ?? 0,
            isDraining: drainDeadline != nil,
            streams: streams.mapValues { feed in
                EdgeSnapshot.Stream(
                    subscriptions: feed.groups.values.reduce(0) { $0 + $1.subscribers.count },
                    groups: feed.groups.count,
                    rows: feed.rowCount, ringByteCount: feed.ringByteCount,
                    keyedRowsByteCount: feed.rows?.byteCount ?? 0,
                    feed: counters.feeds[feed.stream.name] ?? .init(), delivery: feed.delivery)
            }, readings: readings.count, readingByteCount: readings.heldByteCount,
            processorSeconds: ProcessUsage.processorSeconds, residentBytes: ProcessUsage.residentBytes)
    }
}
