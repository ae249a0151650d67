import Common
import Kafka
import Postgres
import Schema

/// What `millrace.source` says about one source, of whatever cluster and whenever it was.
struct SourceRecord {
    var id: SourceID
    var stream: String
    var cluster: String
    var place: TopicPartition
    /// Nil where the broker or librdkafka told none.
    var topicID: String?
    var start: Int64
    var next: Int64
    /// What lies before was deleted by retention.
    var retainedFrom: Int64?
    /// From there on a reset has deleted the rows.
    var replacedFrom: Int64?
    var isRetired: Bool
    /// Somebody asked for it to be read from there.
    var isReset: Bool

    var isReplay: Bool { ReplaySource.isOne(topic: place.topic) }

    /// By their ids.
    static func all(_ schema: MillraceSchema, on connection: inout Connection) throws(PostgresError) -> [SourceRecord] {
        let rows = try connection.execute(
            """
            SELECT id, stream, cluster_id, topic, partition, topic_id, start_offset, next_offset, retained_from,
                replaced_from, retired_at IS NOT NULL, begun_by IS NOT DISTINCT FROM 'reset'
            FROM \(schema.name).source ORDER BY id
            """)[0]
        return (0..<rows.rowCount).map { row in
            SourceRecord(
                id: SourceID(rawValue: Int32(rows.integer(row, 0)!)), stream: rows.text(row, 1)!,
                cluster: rows.text(row, 2)!,
                place: TopicPartition(rows.text(row, 3)!, Int32(rows.integer(row, 4)!)), topicID: rows.text(row, 5),
                start: rows.integer(row, 6)!, next: rows.integer(row, 7)!, retainedFrom: rows.integer(row, 8),
                replacedFrom: rows.integer(row, 9), isRetired: rows.text(row, 10) == "t",
                isReset: rows.text(row, 11) == "t")
        }
    }

    /// The same records of Kafka are stored once, unless somebody asked for them again.
    func compare(with others: [SourceRecord], _ finding: inout Verification.Finding) {
        guard !isReplay, !isReset, start < next else { return }
        for other in others where other.id < id && (other.cluster, other.place) == (cluster, place) {
            let stored = other.start..<max(other.start, other.replacedFrom ?? other.next)
            let twice = stored.clamped(to: start..<next)
            guard !twice.isEmpty else { continue }
            if let topicID, let otherID = other.topicID {
                guard topicID == otherID else { continue }
                finding.breaks.append("\(twice): stored as source \(other.id) before, of the same topic (\(topicID))")
            } else {
                finding.notComparable.append(
                    "\(twice): source \(other.id) had these offsets before, and no topic id tells whether they are others"
                )
            }
        }
    }
}
