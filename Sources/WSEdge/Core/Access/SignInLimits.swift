/// How often somebody may try to sign in: so often a minute as one user, from anywhere, and so often from one address, as
/// anybody; and renew a token so often as one user. A pure value.
struct SignInLimits {
    /// Tokens come back with time; each try takes one.
    private struct Bucket {
        var tokens: Double
        var at: ContinuousClock.Instant
    }

    /// Buckets of one kind: who has none has a full one.
    private struct Table {
        let size: Double
        let secondsPerToken: Double
        var buckets: [String: Bucket] = [:]

        private static let limit = 10_000
        /// All who find no room share one.
        private static let others = ""

        /// - Returns: how long to wait instead; nil: admitted.
        mutating func take(_ name: String, at now: ContinuousClock.Instant) -> Duration? {
            var key = name
            if buckets[key] == nil, buckets.count >= Self.limit {
                let (size, seconds) = (size, secondsPerToken)
                buckets = buckets.filter { Self.filled($0.value, now, size, seconds) < size }
                if buckets.count >= Self.limit { key = Self.others }
            }
            let tokens = buckets[key].map { Self.filled($0, now, size, secondsPerToken) } ?? size
            guard tokens >= 1 else { return .seconds((1 - tokens) * secondsPerToken) }
            buckets[key] = Bucket(tokens: tokens - 1, at: now)
            return nil
        }

        private static func filled(
            _ bucket: Bucket, _ now: ContinuousClock.Instant, _ size: Double, _ secondsPerToken: Double
        ) -> Double {
            min(size, bucket.tokens + (now - bucket.at) / .seconds(1) / secondsPerToken)
        }
    }

    private var users = Table(size: 10, secondsPerToken: 6)
    private var addresses = Table(size: 30, secondsPerToken: 2)
    private var renewals = Table(size: 10, secondsPerToken: 6)

    /// - Returns: how long to wait instead; nil: admitted.
    mutating func admit(_ user: String, from address: String, at now: ContinuousClock.Instant) -> Duration? {
        // The address first: who floods from one must not lock a user out everywhere.
        if let wait = addresses.take(Self.network(address), at: now) { return wait }
        return users.take(user, at: now)
    }

    /// Whoever renews has a token: others at the same address, such as a balancer's, are nothing to them.
    mutating func admitRenewal(of user: String, at now: ContinuousClock.Instant) -> Duration? {
        renewals.take(user, at: now)
    }

    /// Whoever has the password is not who guesses it.
    mutating func succeeded(_ user: String) { users.buckets[user] = nil }

    /// Of an IPv6 address the first half, which is one customer's (RFC 6177).
    static func network(_ address: String) -> String {
        guard address.contains(":"), !address.contains(".") else { return address }
        let halves = address.components(around: "::")
        let first = halves[0].split(separator: ":").map(String.init)
        let last = halves.count > 1 ? halves[1].split(separator: ":").map(String.init) : []
        let zeros = halves.count > 1 ? max(0, 8 - first.count - last.count) : 0
        let groups = first + Array(repeating: "0", count: zeros) + last
        return groups.prefix(4).joined(separator: ":") + "::/64"
    }
}

extension String {
    fileprivate func components(around separator: String) -> [Substring] {
        guard let range = firstRange(of: separator) else { return [self[...]] }
        return [self[..<range.lowerBound], self[range.upperBound...]]
    }
}
