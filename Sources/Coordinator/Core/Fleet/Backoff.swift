/// Exponential backoff with full jitter: a delay drawn from zero to a ceiling that doubles.
package struct Backoff: Sendable {
    package static let first = 0.1
    package static let ceiling = 30.0
    /// After so long without a crash the count starts again.
    package static let quietInterval = Duration.seconds(60)

    private var crashes = 0
    private var lastCrash: ContinuousClock.Instant?

    package init() {}

    /// - Parameter random: from 0 to 1.
    package mutating func crashed(at now: ContinuousClock.Instant, random: Double) -> Duration {
        if let lastCrash, now - lastCrash >= Self.quietInterval { crashes = 0 }
        lastCrash = now
        let limit = min(Self.ceiling, Self.first * Double(1 << min(crashes, 20)))
        crashes += 1
        return .seconds(random * limit)
    }
}
