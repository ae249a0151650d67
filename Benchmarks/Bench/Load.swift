import BenchmarkSupport

/// Records of a topic.
struct Load {
    var records = Benchmark.setting("RECORDS", 1_000_000)
    var partitions = Benchmark.setting("PARTITIONS", 8)
    /// Where a record goes, and its value.
    var record: (Int) -> (partition: Int, value: [UInt8])

    /// Readings of 500 cameras in turn.
    static func readings() -> Load {
        var load = Load { _ in (0, []) }
        let partitions = load.partitions
        load.record = { ($0 % partitions, Benchmark.reading($0)) }
        return load
    }
}
