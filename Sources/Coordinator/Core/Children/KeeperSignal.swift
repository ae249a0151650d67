import CLinux

/// How a kept program is asked to end.
package enum KeeperSignal: String, Sendable {
    case terminate = "TERM"
    /// Postgres: disconnects clients, writes a checkpoint, ends.
    case interrupt = "INT"
    /// Postgres: ends at once, and recovers at its next start.
    case quit = "QUIT"

    package var number: Int32 {
        switch self {
        case .terminate: SIGTERM
        case .interrupt: SIGINT
        case .quit: SIGQUIT
        }
    }
}
