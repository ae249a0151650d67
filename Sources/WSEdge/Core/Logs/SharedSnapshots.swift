import Common
import Feed

/// Lets those who ask for the same state at nearly the same time share its pages. A pure value.
struct SharedSnapshots {
    private struct Known {
        let number: Snapshot.Number
        let start: [SourceID: Int64]
        let begunAt: ContinuousClock.Instant
    }

    private struct Key: Hashable {
        let stream: String
        let request: SnapshotPage.Request
    }

    private var known: [Key: Known] = [:]
    private var next: Snapshot.Number = 0

    /// The feed is replayed from the first one's start: so old may it be.
    private static let ageLimit = Duration.seconds(1)
    private static let limit = 1000

    mutating func number() -> Snapshot.Number {
        next += 1
        return next
    }

    /// - Parameter position: how far the stream is.
    mutating func begin(
        _ stream: String, _ request: SnapshotPage.Request, at position: [SourceID: Int64],
        now: ContinuousClock.Instant = .now
    ) -> Snapshot {
        let key = Key(stream: stream, request: request)
        if let shared = known[key], now - shared.begunAt <= Self.ageLimit {
            return Snapshot(shared.number, request, start: shared.start)
        }
        if known.count >= Self.limit { known = [:] }
        let new = Known(number: number(), start: position, begunAt: now)
        known[key] = new
        return Snapshot(new.number, request, start: position)
    }

    /// Positions of the stream have lost their meaning.
    mutating func forget(_ stream: String) {
        known = known.filter { $0.key.stream != stream }
    }
}
