/// Spreads records evenly over time: so many a second, in small steps. Times are since the start.
///
/// What was missed is caught up with at no more than twice the rate, and forgotten when it is more than a second's worth:
/// after an outage nobody wants what would have come during it, all at once.
package struct Pacing {
    /// A step is as long, where the rate is not so low that a record is due less often.
    private static let step = Duration.milliseconds(5)
    private static let memory = Duration.seconds(1)

    private let rate: Double
    /// When the first record would have been due, had the rate been kept to until now.
    private var origin = Duration.zero
    private var sent: Int64 = 0
    /// Records that this step may still take.
    private var allowance: Int64 = 0
    private var nextStep = Duration.zero

    /// - Parameter rate: records a second; above 0.
    package init(rate: Int) {
        precondition(rate > 0)
        self.rate = Double(rate)
    }

    /// How many records may go now.
    package mutating func due(at time: Duration) -> Int64 {
        guard time >= nextStep else { return allowance }
        if time - origin - duration(of: sent) > Self.memory { origin = time - Self.memory - duration(of: sent) }
        let owed = Int64(seconds(time - origin) * rate) + 1 - sent
        let most = max(1, Int64((seconds(Self.step) * rate * 2).rounded(.up)))
        allowance = min(max(owed, 0), most)
        let isBehind = owed > allowance
        nextStep = isBehind ? time + Self.step : max(time + Self.step, origin + duration(of: sent + allowance))
        return allowance
    }

    package mutating func took(_ count: Int64) {
        precondition(count <= allowance)
        allowance -= count
        sent += count
    }

    /// When `due` has something new to say.
    package var nextTime: Duration { nextStep }

    private func duration(of count: Int64) -> Duration { .seconds(Double(count) / rate) }

    private func seconds(_ duration: Duration) -> Double { duration / .seconds(1) }
}
