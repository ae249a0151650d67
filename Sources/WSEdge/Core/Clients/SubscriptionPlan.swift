/// What a client is going to be subscribed to.
struct SubscriptionPlan {
    let feed: StreamFeed
    let key: GroupKey
    /// Nil: with a snapshot, or what comes from now on.
    let start: ResumeRequest.Start?
    let takesSnapshot: Bool
}
