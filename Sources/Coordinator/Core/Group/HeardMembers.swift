import Common

/// What a coordinator of a group has read about the others, at a time.
struct HeardMembers: Sendable {
    var members: [Member]
    /// Changes with the sources that there are, and with what is paused.
    var sources: String
    /// Sources that some worker's session, on whatever host, may still write.
    var claimed: Set<SourceID>
    /// Before it was read.
    var asOf: ContinuousClock.Instant
}
