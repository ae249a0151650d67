import Common
private import Glibc
import JSONRecords
import Kafka
import Postgres

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
            guard try isSameCluster() else { return }
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
                case .record: if let source { try take(record, source) }
                case .endOfPartition:
                    if let source {
                        source.end = record.offset
                        stepTo(record.offset, source)
                    }
                case .error(let error): try handle(error, at: record.offset, source)
                }
            }
            inFlight?.clear()
        }
    }

    private func take(_ record: Record, _ source: SourceState) throws {
        guard source.phase == .running, record.offset >= source.taken else { return }
        if record.offset > source.taken {
            let start = consumer.knownStartOffset(source.partition)
            guard source.isHole(upTo: record.offset, logStart: start) else {
                return try stop(
                    source, what: "offset",
                    "\(source.partition) begins at \(start ?? 0): Kafka no longer holds offset \(source.taken)")
            }
        }
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

    /// - Parameter offset: where the consumer was, of an offset that Kafka doesn't have.
    private func handle(_ error: KafkaError, at offset: Int64, _ source: SourceState?) throws {
        guard let source, error.isOffsetOutOfRange else {
            // librdkafka reconnects by itself; anything else is told and retried by it as well.
            if !error.isRetriable {
                try send(.failed(what: "kafka", reason: error.description, sources: source.map { [$0.id] } ?? []))
            }
            return
        }
        guard offset == source.taken || source.strayErrors >= Self.strayErrorLimit else {
            // Of an assignment before this one: librdkafka does not drop them with it. It fetches no further meanwhile.
            source.strayErrors += 1
            try unassign([source.id])
            return try assign([source.id])
        }
        try stop(
            source, what: "offset",
            "\(source.partition) has no offset \(source.taken): Kafka no longer holds it, or not yet")
    }

    private static let strayErrorLimit = 10

    /// - Parameter what: `offset` is kept in the database until a reset.
    private func stop(_ source: SourceState, what: String, _ reason: String) throws {
        try unassign([source.id])
        source.phase = .stopped(reason)
        try send(.failed(what: what, reason: reason, sources: [source.id]))
    }

    /// A broker at the same address may be another cluster's. Then nothing that is in memory counts: it may be of either.
    private func isSameCluster() throws -> Bool {
        guard let cluster = consumer.clusterID, cluster != knownCluster else { return true }
        if let before = clientCluster, before != cluster { endWithClient(of: before, now: cluster) }
        (knownCluster, clientCluster) = (cluster, cluster)
        let strangers = sources.values.filter { !$0.isReplay && $0.cluster != cluster && $0.phase == .running }
        guard !strangers.isEmpty else { return true }
        try loseSession(PostgresError(operation: "consume", sqlState: "", message: "Kafka is another cluster now"))
        for source in strangers {
            try stop(
                source, what: "source",
                "Kafka is cluster \(cluster) now; \(source.partition) was read from \(source.cluster)")
        }
        return false
    }

    /// A client that has known a topic in one cluster and sees another of its name in the next may die of it, or stand still
    /// (librdkafka 2.4 to 2.8, its issue #4964). It is not even destroyed: the next process has a client of its own, and
    /// says what it finds. What is not committed is read again.
    private func endWithClient(of before: String, now cluster: String) -> Never {
        inFlight?.clear()
        Log.standard.say("Kafka is cluster \(cluster) now, and was \(before): the worker starts anew", .warning)
        exit(ExitCode.unavailable.rawValue)
    }

    /// Shows to tools that look at consumer groups how far sources are.
    func mirrorPositions() {
        guard configuration.member == nil else { return }
        let moved = sources.values.filter { !$0.isReplay && $0.mirrored != $0.ledger.to && $0.cluster == knownCluster }
        if !moved.isEmpty, consumer.isConnected {
            do throws(KafkaError) {
                try consumer.mirror(moved.map { ($0.partition, $0.ledger.to) })
                for source in moved { source.mirrored = source.ledger.to }
            } catch {
                tellMirrorFailure(error)
            }
        }
        tellMirrorFailure(consumer.mirrorFailure)
    }

    /// Once: nothing of ours depends on it.
    private func tellMirrorFailure(_ failure: KafkaError?) {
        guard let failure, !failure.isRetriable, !hasToldMirrorFailure else { return }
        hasToldMirrorFailure = true
        try? send(.failed(what: "group offsets", reason: failure.description, sources: []))
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
