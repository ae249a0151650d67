import Common
import JSONRecords
import Kafka
import Postgres

/// Dead letters that are replayed: read from Postgres when someone has asked for it, and written like records of a
/// source of their own.
extension ShardWorker {
    /// Letters of one read: they wait in memory for their transaction. No more than fit into a batch, and one at least.
    private static let readLimit = 500
    private static let checkInterval = Duration.seconds(1)

    /// A replay source that may have letters to read: nothing of it is in memory, and it is time to look.
    func replaySourceToRead() -> SourceState? {
        guard drainDeadline == nil else { return nil }
        return sources.values.first { source in
            let lane = lanes[source.lane]
            return source.isReplay && source.phase == .running && source.isCommitted && !lane.needsResume
                && lane.nextReplayCheck <= .now
        }
    }

    func lettersScript(_ source: SourceState) -> Script {
        let lane = lanes[source.lane]
        lane.nextReplayCheck = .now + Self.checkInterval
        let name = Connection.literal(lane.stream.name)
        return Script(
            """
            SELECT d.id, d.key, d.value, (extract(epoch FROM d.record_timestamp) * 1000)::bigint, s.partition,
                d.source_offset, d.headers::text
            FROM (SELECT *, sum(size) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) AS bytes FROM (
                SELECT *, coalesce(octet_length(key), 0) + coalesce(octet_length(value), 0) AS size
                FROM \(schema.name).dead_letter
                WHERE stream = \(name) AND replay_requested_at IS NOT NULL AND replayed_at IS NULL
                    AND purged_at IS NULL ORDER BY id LIMIT \(Self.readLimit)) AS asked) AS d
            JOIN \(schema.name).source s ON s.id = d.source_id
            WHERE d.bytes - d.size < \(configuration.batchByteLimit) ORDER BY d.id
            """)
    }

    func addLetters(_ result: QueryResult, to id: SourceID) {
        // Released or lost while the letters were read: they are still requested.
        guard let source = sources[id], source.phase == .running, !lanes[source.lane].needsResume else { return }
        let lane = lanes[source.lane]
        for row in 0..<result.rowCount {
            let key = result.bytes(row, 1).flatMap(HexBytes.init)
            let value = result.bytes(row, 2).flatMap(HexBytes.init)
            let headers = HeaderJSON.read(result.text(row, 6))
            withBytes(of: key?.bytes) { key in
                withBytes(of: value?.bytes) { value in
                    headers.withBuffers { headers in
                        lane.filling.add(
                            source: id, value: value,
                            RecordMetadata(
                                key: key, timestamp: result.integer(row, 3), partition: Int32(result.integer(row, 4)!),
                                offset: result.integer(row, 5)!, headers: headers),
                            replay: (result.integer(row, 0)!, source.taken))
                    }
                }
            }
            source.taken += 1
        }
        if result.rowCount > 0 { lane.nextReplayCheck = .now }
    }

    private func withBytes(of bytes: [UInt8]?, _ body: (UnsafeRawBufferPointer?) -> Void) {
        guard let bytes else { return body(nil) }
        bytes.withUnsafeBytes { body($0) }
    }
}
