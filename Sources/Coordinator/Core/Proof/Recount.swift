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

    /// - Parameters:
    ///   - ranges: in ascending order, the first from an offset that Kafka holds.
    ///   - quantities: of an increment stream: is given each record.
    consuming func count(
        _ ranges: [Range<Int64>], _ quantities: inout RecordQuantities?
    ) throws(KafkaError) -> [Sum] {
        var sums = ranges.map { _ in Sum() }
        guard let start = ranges.first?.lowerBound, let end = ranges.last?.upperBound else { return sums }
        var index = 0
        let reached = try consumer.visit(place, start..<end, silenceLimit: Self.silenceLimit) { record in
            while index < ranges.count, record.offset >= ranges[index].upperBound { index += 1 }
            guard index < ranges.count, ranges[index].contains(record.offset) else { return }
            sums[index].records += 1
            sums[index].checksum &+= RecordChecksum.of(offset: record.offset, key: record.key, value: record.value)
            quantities?.add(record)
        }
        guard reached >= end else {
            throw KafkaError(
                operation: "read \(place)", code: -185, message: "it ends at \(reached) for now, before \(end)")
        }
        return sums
    }
}
