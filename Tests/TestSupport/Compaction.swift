/// Settings with which a small topic is compacted within a second or two, once its `cleanup.policy` is `compact`.
package enum Compaction {
    package static let topicConfiguration = [
        "segment.ms": "1000", "min.cleanable.dirty.ratio": "0.01", "min.compaction.lag.ms": "0",
        "max.compaction.lag.ms": "50",
    ]
    /// How often the broker looks.
    package static let brokerConfiguration = ["log.cleaner.backoff.ms": "100"]
}
