/// Why a source is given to no worker, as `source.paused_by` keeps it.
package enum SourceHold: Sendable, Equatable {
    /// Who did it, or what for.
    case paused(String)
    /// A record of it kills workers.
    case quarantined(String)
    /// Its log can't be what it was: somebody has to decide (`coordinator reset`).
    case stopped(String)

    static let stoppedPrefix = "stopped: "
    static let quarantinePrefix = "quarantine"

    init(stored: String) {
        if stored.hasPrefix(Self.stoppedPrefix) {
            self = .stopped(String(stored.dropFirst(Self.stoppedPrefix.count)))
        } else {
            self = stored.hasPrefix(Self.quarantinePrefix) ? .quarantined(stored) : .paused(stored)
        }
    }

    package var reason: String {
        switch self {
        case .paused(let reason), .quarantined(let reason), .stopped(let reason): reason
        }
    }

    /// In `status`.
    package var word: String {
        switch self {
        case .paused: "paused"
        case .quarantined: "quarantined"
        case .stopped: "stopped"
        }
    }
}
