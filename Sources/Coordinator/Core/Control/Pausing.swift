import Common

/// Somebody has paused sources, and is answered when no worker has them.
struct Pausing {
    /// Less than the command waits.
    private static let limit = Duration.seconds(8)

    let sources: [SourceID]
    /// On the control socket.
    let identity: [UInt8]
    /// When it was written into the database.
    let since: ContinuousClock.Instant
    var deadline: ContinuousClock.Instant { since + Self.limit }
}
