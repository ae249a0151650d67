internal import CLinux

extension Consumer {
    /// Reads the records of a range of offsets, once, waiting for them. The partition must not be assigned.
    ///
    /// - Parameters:
    ///   - range: its start must be held by the broker.
    ///   - silenceLimit: how long nothing may come.
    /// - Returns: up to where they were read: less than the whole range where the log, or what is committed of it, ends before.
    @discardableResult
    package mutating func visit(
        _ place: TopicPartition, _ range: Range<Int64>, silenceLimit: Duration, _ body: (Record) -> Void
    ) throws(KafkaError) -> Int64 {
        guard !range.isEmpty else { return range.lowerBound }
        try assign([(place, range.lowerBound)])
        var position = range.lowerBound
        var heard = ContinuousClock.now
        var isAtEnd = false
        while position < range.upperBound, !isAtEnd {
            guard take() > 0 else {
                guard ContinuousClock.now - heard < silenceLimit else {
                    throw KafkaError(
                        operation: "read \(place) from \(position)", code: -185, message: "no record came in time")
                }
                var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                poll(&entry, 1, 1000)
                continue
            }
            for index in 0..<count {
                let record = self[index]
                switch record.kind {
                case .error(let error): if !error.isRetriable { throw error }
                case .endOfPartition:
                    position = max(position, record.offset)
                    isAtEnd = true
                case .record:
                    heard = .now
                    position = record.offset + 1
                    if record.offset < range.upperBound { body(record) }
                }
            }
        }
        try unassign([place])
        return position
    }
}
