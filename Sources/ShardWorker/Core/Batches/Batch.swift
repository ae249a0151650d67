package import Common
package import JSONRecords
private import Postgres

/// Records of one stream, decoded, in the order in which they came. Owned by the loop's thread.
///
/// Everything that a transaction over any run of its entries needs is here, so that a batch can be sent
/// whole, or in halves when Postgres refuses some row of it.
package struct Batch: ~Copyable {
    package enum Outcome {
        case row
        case tombstone
        /// Why is told by `rejection`.
        case dead
    }

    /// Without references, so that the millions that pass cost no counting.
    package struct Entry {
        package var source: SourceID
        package var offset: Int64
        var checksum: UInt64
        /// Milliseconds since 1970.
        package var timestamp: Int64?
        package var outcome: Outcome
        /// In `fields`: of a keyed stream the columns' COPY fields, else a whole row of COPY's. Empty for a dead letter.
        var row: Range<Int>
        /// In `feed`: an append stream's row, if somebody follows the stream.
        var feedRow: Range<Int>
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
    private var rejections: [Int: RecordRejection] = [:]
    /// Positions to which sources advance without a record: holes at the end of a partition.
    package private(set) var ends: [SourceID: Int64] = [:]
    /// Whether somebody follows the stream; else its rows are not built. Of a whole batch.
    package var isPublished = true
    private(set) var fields = ByteWriter(capacity: 64 * 1024)
    /// Rows as feed messages have them, one after another.
    package private(set) var feed = ByteWriter(capacity: 64 * 1024)
    private(set) var raw = ByteWriter(capacity: 64 * 1024)
    private var decoder: RecordDecoder
    /// The decoder's, of the last record.
    private let values: UnsafeBufferPointer<ColumnValue>
    private let keys: CanonicalJSON.Keys
    /// For each column whether it takes 4 bytes.
    private let areNarrow: UnsafeMutableBufferPointer<Bool>
    private let isKeyed: Bool

    private static let countByteCount = 2
    /// Source and offset of an append stream's row.
    private static let placeByteCount = 20

    package init(_ stream: StreamDefinition, recordByteLimit: Int = 1_048_576, watch: ColumnWatch? = nil) {
        self.stream = stream
        decoder = RecordDecoder(stream, byteLimit: recordByteLimit, watch: watch)
        values = decoder.values
        keys = CanonicalJSON.Keys(stream.columns)
        areNarrow = .allocate(capacity: stream.columns.count)
        _ = areNarrow.initialize(from: stream.columns.map { $0.type == .integer })
        isKeyed = stream.isKeyed
    }

    deinit { areNarrow.deallocate() }

    package var isEmpty: Bool { entries.isEmpty && ends.isEmpty }

    /// Bytes held for the batch's records.
    package var byteCount: Int { fields.count + feed.count + raw.count }

    /// Why a dead letter is one.
    func rejection(_ index: Int) -> RecordRejection? { rejections[index] }

    /// In `fields`: the columns' COPY fields of a row.
    func columnFields(_ index: Int) -> Range<Int> {
        let row = entries[index].row
        return isKeyed ? row : (row.lowerBound + Self.countByteCount)..<(row.upperBound - Self.placeByteCount)
    }

    /// In `fields`: the COPY rows of an append stream's run.
    func rows(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        guard let first = range.first, let last = range.last else { return .init(start: nil, count: 0) }
        return fields.bytes(entries[first].row.lowerBound..<entries[last].row.upperBound)
    }

    /// Forgets the records and keeps the memory.
    package mutating func removeAll() {
        entries.removeAll(keepingCapacity: true)
        rejections.removeAll()
        ends.removeAll()
        fields.truncate()
        feed.truncate()
        raw.truncate()
    }

    /// Decodes a record and adds what became of it.
    ///
    /// - Parameter replay: of a dead letter, and its place in the sequence of replays, which is its offset here.
    package mutating func add(
        source: SourceID, value: UnsafeRawBufferPointer?, _ metadata: borrowing RecordMetadata,
        replay: (letter: Int64, sequence: Int64)? = nil
    ) {
        let offset = replay?.sequence ?? metadata.offset
        let (rowStart, feedStart) = (fields.count, feed.count)
        var outcome = Outcome.row
        do throws(RecordRejection) {
            if try decoder.outcome(of: value, metadata) == .deleted { outcome = .tombstone }
            addFields(source, offset)
            // A keyed row goes out as Postgres holds it after the merge, with its version.
            if !isKeyed, isPublished { addFeedRow(source, offset) }
        } catch {
            outcome = .dead
            rejections[entries.count] = error
        }
        var headers: Range<Int>?
        if !metadata.headers.isEmpty, replay == nil {
            let start = raw.count
            HeaderJSON.write(metadata.headers, to: &raw)
            headers = start..<raw.count
        }
        entries.append(
            Entry(
                source: source, offset: offset,
                checksum: RecordChecksum.of(offset: offset, key: metadata.key, value: value),
                timestamp: metadata.timestamp, outcome: outcome, row: rowStart..<fields.count,
                feedRow: feedStart..<feed.count, key: keep(metadata.key), value: keep(value), headers: headers,
                letter: replay?.letter))
    }

    private mutating func addFields(_ source: SourceID, _ offset: Int64) {
        let areNarrow = UnsafeBufferPointer(areNarrow)
        if isKeyed {
            fields.copyFields(values, areNarrow: areNarrow)
        } else {
            fields.copyRow(values, areNarrow: areNarrow, source.rawValue, offset)
        }
    }

    private mutating func addFeedRow(_ source: SourceID, _ offset: Int64) {
        let start = FeedMessage.beginRow(source: source, offset: offset, version: 0, deleted: false, to: &feed)
        CanonicalJSON.write(row: values, keys: keys, to: &feed)
        FeedMessage.endRow(start, of: &feed)
    }

    private mutating func keep(_ bytes: UnsafeRawBufferPointer?) -> Range<Int>? {
        guard let bytes else { return nil }
        let start = raw.count
        raw.append(bytes)
        return start..<raw.count
    }

    /// Steps a source over offsets that hold no record for it.
    package mutating func advance(_ source: SourceID, to position: Int64) {
        ends[source] = max(ends[source] ?? position, position)
    }
}
