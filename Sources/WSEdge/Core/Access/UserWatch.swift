/// Users that have signed in, and what the database had of them when it was asked the last time. A pure value.
struct UserWatch {
    private struct Entry {
        var state: UserState?
        var heardAt: ContinuousClock.Instant
    }

    private let limits: AccessLimits
    private var entries: [String: Entry] = [:]
    private var askedAt: ContinuousClock.Instant?
    private var isAsking = false

    init(_ limits: AccessLimits) {
        self.limits = limits
    }

    func state(of user: String) -> UserState? { entries[user]?.state }

    /// Somebody is here with a token of this user's.
    mutating func heard(_ user: String, at now: ContinuousClock.Instant, isConnected: (String) -> Bool) {
        if entries[user] == nil, entries.count >= limits.watchedUsers {
            let oldest = entries.filter { !isConnected($0.key) }.min { $0.value.heardAt < $1.value.heardAt }
            if let oldest { entries[oldest.key] = nil }
        }
        entries[user, default: Entry(state: nil, heardAt: now)].heardAt = now
    }

    /// What was read beside something else.
    mutating func learned(_ user: String, _ state: UserState) { entries[user]?.state = state }

    /// Whom to ask about now: all, now and then; meanwhile who is new. Nil: nobody. One question at a time.
    mutating func question(at now: ContinuousClock.Instant, isConnected: (String) -> Bool) -> [String]? {
        guard !isAsking else { return nil }
        let isDue = askedAt.map { now - $0 >= .seconds(limits.userCheckSeconds) } ?? true
        if isDue {
            entries = entries.filter { isConnected($0.key) || now - $0.value.heardAt < .seconds(limits.watchSeconds) }
        }
        let names = isDue ? Array(entries.keys) : entries.filter { $0.value.state == nil }.map(\.key)
        guard !names.isEmpty else { return nil }
        if isDue { askedAt = now }
        isAsking = true
        return names
    }

    /// - Parameter states: nil: Postgres did not answer; what was known counts on.
    mutating func answered(_ states: [String: UserState]?) {
        isAsking = false
        for (user, state) in states ?? [:] { entries[user]?.state = state }
    }
}
