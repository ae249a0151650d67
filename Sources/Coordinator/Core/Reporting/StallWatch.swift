package import Common

/// Sources that a worker has, whose records wait, and of which none is read: told, whatever the cause is. A pure value.
package struct StallWatch: Sendable {
    private struct Mark {
        let next: Int64?
        let since: ContinuousClock.Instant
    }

    private var marks: [SourceID: Mark] = [:]

    /// An outage that workers tell of, a rebalance or a busy machine ends sooner.
    private static let limit = Duration.seconds(60)

    package init() {}

    /// How all sources are, again and again.
    package mutating func note(_ sources: [StatusReport.Source], at now: ContinuousClock.Instant) {
        var found: [SourceID: Mark] = [:]
        for source in sources where source.state == "running" && source.heldBack == nil && source.lag ?? 0 > 0 {
            let mark = marks[source.id]
            found[source.id] =
                if let mark, mark.next == source.nextOffset { mark } else { Mark(next: source.nextOffset, since: now) }
        }
        marks = found
    }

    /// How long no record of a source has been read, if that is too long.
    package func seconds(_ source: SourceID, at now: ContinuousClock.Instant) -> Int? {
        guard let mark = marks[source], now - mark.since >= Self.limit else { return nil }
        return Int((now - mark.since) / .seconds(1))
    }
}
