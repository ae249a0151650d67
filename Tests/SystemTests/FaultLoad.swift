import Common
import TestSupport

/// Fills a topic, and keeps what a read_committed consumer has to find there.
///
/// Each call waits until the broker has everything, so that a partition's records lie in the order in which they are
/// kept here. Used from one thread.
struct FaultLoad {
    enum Content: Equatable {
        case row(key: String, number: Int)
        /// Of an upsert stream.
        case tombstone(key: String)
        case poison(number: Int)

        var isPoison: Bool { if case .poison = self { true } else { false } }
    }

    private static let keyCount = 13
    private let mode: StreamMode
    private let kafka: TestKafka
    private let topic: String
    /// By partition: records that are committed, or need not be.
    private(set) var sent: [[Content]]
    /// By partition and offset: what was there when it was noted.
    private(set) var noted: [[Int64: KeptRecord]]
    /// Never used twice, aborted records included.
    private var nextNumber = 0

    init(_ mode: StreamMode, kafka: TestKafka, topic: String, partitions: Int32) {
        self.mode = mode
        self.kafka = kafka
        self.topic = topic
        sent = .init(repeating: [], count: Int(partitions))
        noted = .init(repeating: [:], count: Int(partitions))
    }

    var count: Int { sent.reduce(0) { $0 + $1.count } }

    static func record(_ content: Content) -> (key: String?, value: String?) {
        switch content {
        case .row(let key, let number): (key, #"{"k":"\#(key)","n":\#(number)}"#)
        case .tombstone(let key): (key, nil)
        // Compaction keeps it: no other has its key.
        case .poison(let number): ("poison \(number)", "poison")
        }
    }

    /// - Parameter count: records for each partition.
    mutating func produce(_ random: inout SeededGenerator, count: ClosedRange<Int> = 50...400) throws {
        try produce(count, to: Array(sent.indices), &random)
    }

    /// Remembers where Kafka has what, before it removes some of it. In the meantime nothing must be produced.
    mutating func note() throws {
        let ends = try kafka.ends(topic, partitions: Int32(sent.count))
        for (partition, kept) in try kafka.read(topic, to: ends).enumerated() {
            for record in kept { noted[partition][record.offset] = record }
        }
    }

    /// Two transactions and plain records, one among the other in the same partitions; one of the two is aborted.
    mutating func produceTransactions(_ random: inout SeededGenerator) throws {
        let (committed, aborted) = (try TransactionalProducer(kafka), try TransactionalProducer(kafka))
        try committed.begin()
        try aborted.begin()
        for partition in sent.indices.shuffled(using: &random).prefix(Int.random(in: 1...4, using: &random)) {
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let lost = contents(1...20, partition, &random)
                try aborted.produce(lost.map(Self.record), to: topic, partition: Int32(partition))
                let kept = contents(1...20, partition, &random)
                try committed.produce(kept.map(Self.record), to: topic, partition: Int32(partition))
                sent[partition] += kept
                if Bool.random(using: &random) { try produce(1...20, to: [partition], &random) }
            }
        }
        if Bool.random(using: &random) {
            try committed.commit()
            try aborted.abort()
        } else {
            try aborted.abort()
            try committed.commit()
        }
    }

    private mutating func produce(
        _ count: ClosedRange<Int>, to partitions: [Int], _ random: inout SeededGenerator
    ) throws {
        var records: [Int32: [(key: String?, value: String?)]] = [:]
        for partition in partitions {
            let added = contents(count, partition, &random)
            records[Int32(partition)] = added.map(Self.record)
            sent[partition] += added
        }
        try kafka.produce(records, to: topic)
    }

    private mutating func contents(
        _ count: ClosedRange<Int>, _ partition: Int, _ random: inout SeededGenerator
    ) -> [Content] {
        (0..<Int.random(in: count, using: &random)).map { _ in
            nextNumber += 1
            // The newest of a key is defined within a partition only.
            let owner = mode == .upsert ? "partition \(partition) " : ""
            let key = "\(owner)key \(Int.random(in: 0..<Self.keyCount, using: &random))"
            switch Int.random(in: 0..<100, using: &random) {
            case 0: return .poison(number: nextNumber)
            case 1...5 where mode == .upsert: return .tombstone(key: key)
            default: return .row(key: key, number: nextNumber)
            }
        }
    }
}
