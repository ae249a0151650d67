/// Counts of values in buckets of fixed bounds, 1, 2, 5, 10 … 1,000,000: what Prometheus calls a histogram.
///
/// Histograms of several workers add up, which percentiles don't.
package struct Histogram: Codable, Sendable, Equatable {
    /// Inclusive upper bounds; the last bucket has none.
    package static let bounds: [Double] = [
        1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000,
        1_000_000,
    ]

    /// One more than there are bounds. Fractions come from `decay`.
    package private(set) var counts = [Double](repeating: 0, count: Self.bounds.count + 1)
    package private(set) var sum = 0.0

    package init() {}

    package var count: Double { counts.reduce(0, +) }

    package mutating func add(_ value: Double) {
        var bucket = 0
        while bucket < Self.bounds.count, value > Self.bounds[bucket] { bucket += 1 }
        counts[bucket] += 1
        sum += value
    }

    package static func += (left: inout Histogram, right: Histogram) {
        for index in left.counts.indices { left.counts[index] += right.counts[index] }
        left.sum += right.sum
    }

    /// What came since `earlier`, a former state of the same histogram.
    package func since(_ earlier: Histogram) -> Histogram {
        var difference = self
        for index in counts.indices { difference.counts[index] = max(0, counts[index] - earlier.counts[index]) }
        difference.sum = max(0, sum - earlier.sum)
        return difference
    }

    /// Lets old values count less, so that quantiles are of late.
    package mutating func decay(by factor: Double) {
        for index in counts.indices { counts[index] *= factor }
        sum *= factor
    }

    /// Interpolated within its bucket; nil while there is next to nothing.
    /// - Parameter share: 0.5 for the median.
    package func quantile(_ share: Double) -> Double? {
        let total = count
        guard total > 0.01 else { return nil }
        var below = 0.0
        for (index, count) in counts.enumerated() where count > 0 {
            if below + count >= share * total {
                let lower = index == 0 ? 0 : Self.bounds[index - 1]
                let upper = index < Self.bounds.count ? Self.bounds[index] : lower
                return lower + (upper - lower) * max(0, share * total - below) / count
            }
            below += count
        }
        return Self.bounds.last
    }
}
