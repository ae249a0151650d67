package import Common
package import JSONRecords
private import Postgres

/// Records of one stream, decoded, in the order in which they came. Owned by the loop's thread.
///
/// Everything that a transaction over any run of its entries needs is here, so that a batch can be sent
/// whole, or in halves when Postgres refuses some row of it.
package final class Batch {
    package enum Outcome {
        case row
        case tombstone
        case dead(RecordRejection)
    }

    package struct Entry {
        package var source: SourceID
        package var offset: Int64
        var checksum: UInt64
        /// Milliseconds since 1970.
        package var timestamp: Int64?
        package var outcome: Outcome
        /// In `fields`: the columns' COPY fields.
        var fields: Range<Int>
        /// In `json`: the canonical row of an append stream.
        var json: Range<Int>
        /// In `raw`: Kafka's key and value; nil where there was none.
        var key: Range<Int>?
        var value: Range<Int>?
        /// In `raw`: Kafka's headers as JSON; nil where there were none.
        var headers: Range<Int>?
        /// The dead letter of which this is a replay.
        package var letter: Int64?
    }

    package let stream: StreamDefinition
    package private(set) var entries: [Entry] = []
    /// Positions to which sources advance without a record: holes at the end of a partition.
    package private(set) var ends: [SourceID: Int64] = [:]
    /// Whether somebody follows the stream; else its rows are not built. Of a whole batch.
    var isPublished = true
    var fields = ByteWriter(capacity: 64 * 1024)
    var json = ByteWriter(capacity: 64 * 1024)
    var raw = ByteWriter(capacity: 64 * 1024)
    private var decoder: RecordDecoder
    private let keys: CanonicalJSON.Keys
    private let types: [ColumnType]
    private let isKeyed: Bool

    package init(_ stream: StreamDefinition, recordByteLimit: Int = 1_048_576, watch: ColumnWatch? = nil) {
        self.stream = stream
        decoder = RecordDecoder(stream, byteLimit: recordByteLimit, watch: watch)
        keys = CanonicalJSON.Keys(stream.columns)
        types = stream.columns.map(\.type)
        isKeyed = stream.isKeyed
    }

    package var isEmpty: Bool { entries.isEmpty && ends.isEmpty }

    /// Bytes held for the batch's records.
    package var byteCount: Int { fields.count + json.count + raw.count }

    /// Forgets the records and keeps the memory.
    package func removeAll() {
        entries.removeAll(keepingCapacity: true)
        ends.removeAll()
        fields.truncate()
        json.truncate()
        raw.truncate()
    }

    /// Decodes a record and adds what became of it.
    ///
    /// - Parameter replay: of a dead letter, and its place in the sequence of replays, which is its offset here.
    package func add(
        source: SourceID, value: UnsafeRawBufferPointer?, _ metadata: borrowing RecordMetadata,
        replay: (letter: Int64, sequence: Int64)? = nil
    ) {
        let offset = replay?.sequence ?? metadata.offset
        var entry = Entry(
            source: source, offset: offset,
            checksum: RecordChecksum.of(offset: offset, key: metadata.key, value: value),
            timestamp: metadata.timestamp, outcome: .row, fields: 0..<0, json: 0..<0, letter: replay?.letter)
        let (fieldStart, jsonStart) = (fields.count, json.count)
        do throws(RecordRejection) {
            entry.outcome = try decoder.outcome(of: value, metadata) == .row ? .row : .tombstone
            for (index, value) in decoder.values.enumerated() {
                fields.copyField(value, type: types[index])
            }
            // A keyed row goes out as Postgres holds it after the merge, with its version.
            if !isKeyed, isPublished { CanonicalJSON.write(row: decoder.values, keys: keys, to: &json) }
        } catch {
            entry.outcome = .dead(error)
        }
        entry.fields = fieldStart..<fields.count
        entry.json = jsonStart..<json.count
        entry.key = metadata.key.map { keep($0) }
        entry.value = value.map { keep($0) }
        if !metadata.headers.isEmpty, entry.letter == nil {
            let start = raw.count
            HeaderJSON.write(metadata.headers, to: &raw)
            entry.headers = start..<raw.count
        }
        entries.append(entry)
    }

    private func keep(_ bytes: UnsafeRawBufferPointer) -> Range<Int> {
        let start = raw.count
        raw.append(bytes)
        return start..<raw.count
    }

    /// Steps a source over offsets that hold no record for it.
    package func advance(_ source: SourceID, to position: Int64) {
        ends[source] = max(ends[source] ?? position, position)
    }
}
