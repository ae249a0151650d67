package import Common
import JSONRecords
import Kafka

/// What the newest records of a stream's topics would become by its definition. Blocking; changes nothing.
package struct SampleCheck: ~Copyable {
    private let stream: StreamDefinition
    private var decoder: RecordDecoder
    private var records = 0
    private var rows = 0
    private var deletes = 0
    /// By their code: how many, and the first with its place.
    private var rejections: [RecordRejection.Code: (count: Int, first: String)] = [:]

    private static let silenceLimit = Duration.seconds(10)

    /// One line a thing that somebody who writes a definition wants to know.
    package static func lines(_ configuration: CoordinatorConfiguration) throws(StartError) -> [String] {
        do throws(KafkaError) {
            let admin = try Admin(configuration.kafka)
            let counts = try admin.partitionCounts()
            var lines: [String] = []
            for stream in configuration.streams {
                var sample = SampleCheck(stream)
                for topic in stream.topics {
                    try sample.read(topic, partitions: counts[topic] ?? 0, admin, configuration.kafka)
                }
                lines += sample.lines
            }
            return lines
        } catch {
            throw StartError("Kafka: \(error)", .unavailable)
        }
    }

    private init(_ stream: StreamDefinition) {
        self.stream = stream
        decoder = RecordDecoder(stream, watch: ColumnWatch(stream))
    }

    private mutating func read(
        _ topic: String, partitions: Int32, _ admin: borrowing Admin, _ kafka: [String: String]
    ) throws(KafkaError) {
        let share = Int64(ColumnWatch.runLength) / Int64(max(1, partitions))
        for partition in 0..<partitions {
            let place = TopicPartition(topic, partition)
            let (low, high) = try admin.watermarks(place, timeout: Self.silenceLimit)
            var consumer = try Consumer(kafka)
            try consumer.visit(place, max(low, high - max(1, share))..<high, silenceLimit: Self.silenceLimit) {
                take($0, at: place)
            }
        }
    }

    private mutating func take(_ record: Record, at place: TopicPartition) {
        records += 1
        let metadata = RecordMetadata(
            key: record.key, timestamp: record.timestamp, partition: record.partition, offset: record.offset,
            headers: record.headers)
        do throws(RecordRejection) {
            switch try decoder.outcome(of: record.value, metadata) {
            case .row: rows += 1
            case .deleted: deletes += 1
            }
        } catch {
            let first = rejections[error.code]?.first ?? "\(place)@\(record.offset): \(error.reason)"
            rejections[error.code] = ((rejections[error.code]?.count ?? 0) + 1, first)
        }
    }

    private var lines: [String] {
        guard records > 0 else { return ["sample of \(stream.name): there are no records"] }
        let dead = records - rows - deletes
        var lines = [
            "sample of \(stream.name): \(records) records: \(rows) rows, \(deletes) deletes, \(dead) dead letters"
        ]
        for (code, found) in rejections.sorted(by: {
            ($1.value.count, $0.key.rawValue) < ($0.value.count, $1.key.rawValue)
        }) {
            lines.append("  \(found.count) \(code.rawValue); the first: \(found.first.withVisibleControls)")
        }
        lines += decoder.absentColumns.map { "  no record had \($0)" }
        return lines
    }
}
