import Common
import JSONRecords
import Kafka

/// The worker's side towards Kafka: what it consumes, and into which batch it goes.
extension ShardWorker {
    /// Not while a batch is full: librdkafka holds what it has prefetched. With no partition there are no records,
    /// but news of the connection.
    var wantsRecords: Bool {
        byPartition.isEmpty || (session?.isReady == true && drainDeadline == nil && !lanes.contains { isFull($0) })
    }

    func takeRecords() throws {
        while wantsRecords, mayHaveRecords {
            let count = consumer.take()
            if count == 0 { mayHaveRecords = false }
            // Records come in runs of one partition.
            var known: (topic: OpaquePointer?, partition: Int32, source: SourceState?)?
            for index in 0..<count {
                let record = consumer[index]
                if known == nil || known!.topic != record.topicIdentity || known!.partition != record.partition {
                    let id = byPartition[TopicPartition(record.topic, record.partition)]
                    known = (record.topicIdentity, record.partition, id.flatMap { sources[$0] })
                }
                let source = known?.source
                switch record.kind {
                case .record: if let source { take(record, source) }
                case .endOfPartition:
                    if let source {
                        source.end = record.offset
                        stepTo(record.offset, source)
                    }
                case .error(let error): try handle(error, source)
                }
            }
            inFlight?.clear()
        }
    }

    private func take(_ record: Record, _ source: SourceState) {
        guard source.phase == .running, record.offset >= source.taken else { return }
        inFlight?.set(source.id, record.offset)
        lanes[source.lane].filling.add(
            source: source.id, value: record.value,
            RecordMetadata(
                key: record.key, timestamp: record.timestamp, partition: record.partition, offset: record.offset,
                headers: record.headers))
        source.taken = record.offset + 1
    }

    /// Steps over a hole at the end of a partition: transaction markers, compacted records.
    private func stepTo(_ offset: Int64, _ source: SourceState) {
        guard source.phase == .running, offset > source.taken else { return }
        lanes[source.lane].filling.advance(source.id, to: offset)
        source.taken = offset
    }

    private func handle(_ error: KafkaError, _ source: SourceState?) throws {
        guard let source, error.isOffsetOutOfRange else {
            // librdkafka reconnects by itself; anything else is told and retried by it as well.
            if !error.isRetriable {
                try send(.failed(what: "kafka", reason: error.description, sources: source.map { [$0.id] } ?? []))
            }
            return
        }
        let reason = "\(source.partition) has no offset \(source.taken): Kafka no longer holds it, or not yet"
        try unassign([source.id])
        source.phase = .stopped(reason)
        try send(.failed(what: "source", reason: reason, sources: [source.id]))
    }

    /// Consumes running sources from behind what is committed.
    func assign(_ ids: [SourceID]) throws {
        let running = ids.compactMap { sources[$0] }.filter { $0.phase == .running && !$0.isReplay }
        guard !running.isEmpty else { return }
        for source in running { byPartition[source.partition] = source.id }
        try consumer.assign(running.map { ($0.partition, $0.taken) })
        mayHaveRecords = true
    }

    func unassign(_ ids: [SourceID]) throws {
        let partitions = ids.filter { id in sources[id].map { byPartition[$0.partition] == id } ?? false }
            .map { sources[$0]!.partition }
        for partition in partitions { byPartition[partition] = nil }
        if !partitions.isEmpty { try consumer.unassign(partitions) }
    }
}
