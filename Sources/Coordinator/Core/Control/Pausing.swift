import Common

/// Somebody has paused sources, and is answered when no worker has them.
struct Pausing {
    /// Less than the command waits.
    static let limit = Duration.seconds(8)

    let sources: [SourceID]
    /// On the control socket.
    let identity: [UInt8]
    let deadline: ContinuousClock.Instant
}
