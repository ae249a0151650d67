import Common
import JSONRecords
import Kafka

/// Adds up a source's records as its worker did, by the stream's definition of now.
struct RecordQuantities: ~Copyable {
    private(set) var sum: Quantities
    /// Why the sum can't be compared.
    private(set) var obstacle: String?
    private var decoder: RecordDecoder
    private let keyIndices: [Int]
    private let incrementIndices: [Int]
    /// Offsets of the dead letters that became no row later.
    private let dead: Set<Int64>

    init(_ stream: StreamDefinition, dead: Set<Int64>) {
        sum = Quantities(stream)
        decoder = RecordDecoder(stream)
        keyIndices = stream.keyIndices
        incrementIndices = stream.incrementIndices
        self.dead = dead
        obstacle = nil
    }

    mutating func add(_ record: Record) {
        guard obstacle == nil, !dead.contains(record.offset) else { return }
        let metadata = RecordMetadata(
            key: record.key, timestamp: record.timestamp, partition: record.partition, offset: record.offset,
            headers: record.headers)
        do throws(RecordRejection) {
            // What a deleted row had depends on the order in which several partitions came.
            guard try decoder.outcome(of: record.value, metadata) == .row else {
                return obstacle = "offset \(record.offset) deletes a row"
            }
        } catch {
            return obstacle =
                "offset \(record.offset) would be no row by the stream's definition of now: \(error.reason)"
        }
        sum.add(key: keyIndices.map { decoder.values[$0] }, increments: incrementIndices.map { decoder.values[$0] })
    }
}
