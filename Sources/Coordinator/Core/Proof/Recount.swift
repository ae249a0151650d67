private import CLinux
import Common
import Kafka

/// Reads a partition again, and counts and sums what lies in given ranges.
struct Recount: ~Copyable {
    struct Sum {
        var records: Int64 = 0
        var checksum: UInt64 = 0
    }

    private static let silenceLimit = Duration.seconds(30)
    private var consumer: Consumer
    private let place: TopicPartition

    init(_ configuration: [String: String], _ place: TopicPartition) throws(KafkaError) {
        let consumer = try Consumer(configuration)
        self.init(consumer, place)
    }

    private init(_ consumer: consuming Consumer, _ place: TopicPartition) {
        self.consumer = consumer
        self.place = place
    }

    /// - Parameter ranges: in ascending order, the first from an offset that Kafka holds.
    consuming func count(_ ranges: [Range<Int64>]) throws(KafkaError) -> [Sum] {
        var sums = ranges.map { _ in Sum() }
        guard let start = ranges.first?.lowerBound, let end = ranges.last?.upperBound else { return sums }
        try consumer.assign([(place, start)])
        var position = start
        var index = 0
        var heard = ContinuousClock.now
        while position < end {
            guard consumer.take() > 0 else {
                guard ContinuousClock.now - heard < Self.silenceLimit else {
                    throw KafkaError(
                        operation: "read \(place) from \(position)", code: -185, message: "no record came in time")
                }
                var entry = pollfd(fd: consumer.descriptor, events: Int16(POLLIN), revents: 0)
                poll(&entry, 1, 1000)
                continue
            }
            for number in 0..<consumer.count {
                let record = consumer[number]
                switch record.kind {
                case .error(let error): if !error.isRetriable { throw error }
                case .endOfPartition:
                    heard = .now
                    position = max(position, record.offset)
                case .record:
                    heard = .now
                    position = record.offset + 1
                    while index < ranges.count, record.offset >= ranges[index].upperBound { index += 1 }
                    guard index < ranges.count, ranges[index].contains(record.offset) else { continue }
                    sums[index].records += 1
                    sums[index].checksum &+= RecordChecksum.of(
                        offset: record.offset, key: record.key, value: record.value)
                }
            }
        }
        return sums
    }
}
