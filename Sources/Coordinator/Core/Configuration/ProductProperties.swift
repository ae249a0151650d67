import Common

/// Properties of librdkafka on which the promises rest: nobody else sets them.
enum ProductProperties {
    private static let reasons = [
        "auto.offset.reset":
            "an offset that Kafka no longer holds stops its source, instead of being skipped in silence",
        "enable.partition.eof": "how far a partition is goes by it",
        "enable.auto.commit": "positions are committed with the rows, in Postgres",
        "enable.auto.offset.store": "positions are committed with the rows, in Postgres",
        "isolation.level": "records of aborted transactions are not stored",
    ]

    static func problems(_ properties: [String: String]) -> [String] {
        properties.keys.sorted().compactMap { name in
            reasons[name].map { "kafka property '\(name)' can't be set: \($0)" }
        }
    }
}
