/// What a worker publishes when a batch is committed: version 1 of the feed between workers and edges.
///
/// The topic frame is the stream's name and NUL; this is the body, little endian. Each message names
/// `from..<to` of every source it moves, so that an edge notices what it missed.
package struct FeedMessage: Equatable, Sendable {
    package static let version: UInt8 = 1
    /// The high-water mark counts messages: this bounds their bytes, but for the row that reaches it.
    package static let byteLimit = 256 * 1024

    package struct Span: Equatable, Sendable {
        package var source: SourceID
        package var from: Int64
        package var to: Int64

        package init(source: SourceID, from: Int64, to: Int64) {
            self.source = source
            self.from = from
            self.to = to
        }
    }

    package struct Row: Equatable, Sendable {
        package var source: SourceID
        package var offset: Int64
        /// Zero in append streams.
        package var version: Int64
        package var deleted: Bool
        /// Canonical JSON.
        package var json: [UInt8]

        package init(source: SourceID, offset: Int64, version: Int64, deleted: Bool, json: [UInt8]) {
            self.source = source
            self.offset = offset
            self.version = version
            self.deleted = deleted
            self.json = json
        }
    }

    package var shard: Int32
    /// Microseconds since 1970, by the worker's clock.
    package var committedAt: Int64
    package var spans: [Span]
    package var rows: [Row]

    package init(shard: Int32, committedAt: Int64, spans: [Span], rows: [Row]) {
        self.shard = shard
        self.committedAt = committedAt
        self.spans = spans
        self.rows = rows
    }

    package static func topic(_ stream: String) -> [UInt8] { Array(stream.utf8) + [0] }

    package static func writeHeader(
        shard: Int32, committedAt: Int64, spans: [Span], rowCount: Int, to writer: inout ByteWriter
    ) {
        writer.append(version)
        writer.append(littleEndian: shard)
        writer.append(littleEndian: committedAt)
        writer.append(littleEndian: UInt32(spans.count))
        for span in spans {
            writer.append(littleEndian: span.source.rawValue)
            writer.append(littleEndian: span.from)
            writer.append(littleEndian: span.to)
        }
        writer.append(littleEndian: UInt32(rowCount))
    }

    /// What goes before a row's canonical JSON.
    ///
    /// - Returns: where the row begins, for `endRow`.
    package static func beginRow(
        source: SourceID, offset: Int64, version: Int64, deleted: Bool, to writer: inout ByteWriter
    ) -> Int {
        let start = writer.count
        var place = writer.room(for: rowHeadByteCount)
        place.put(littleEndian: source.rawValue)
        place.put(littleEndian: offset)
        place.put(littleEndian: version)
        place.put(deleted ? 1 : 0)
        place.put(littleEndian: UInt32(0))
        writer.advance(to: place)
        return start
    }

    /// What lies between is the row's canonical JSON.
    package static func endRow(_ start: Int, of writer: inout ByteWriter) {
        let byteCount = writer.count - start - rowHeadByteCount
        writer.replace(littleEndian: UInt32(byteCount), at: start + rowHeadByteCount - 4)
    }

    /// Source, offset, version, whether it is deleted, bytes of JSON.
    private static let rowHeadByteCount = 4 + 8 + 8 + 1 + 4

    /// Nil for bytes that are no message of this version.
    package init?(_ bytes: UnsafeRawBufferPointer) {
        var reader = ByteReader(bytes)
        guard reader.next(UInt8.self) == Self.version, let shard = reader.next(Int32.self),
            let committedAt = reader.next(Int64.self), let spanCount = reader.next(UInt32.self)
        else { return nil }
        self.init(shard: shard, committedAt: committedAt, spans: [], rows: [])
        for _ in 0..<spanCount {
            guard let source = reader.next(Int32.self), let from = reader.next(Int64.self),
                let to = reader.next(Int64.self)
            else { return nil }
            spans.append(Span(source: SourceID(rawValue: source), from: from, to: to))
        }
        guard let rowCount = reader.next(UInt32.self) else { return nil }
        rows.reserveCapacity(min(Int(rowCount), bytes.count / Self.rowHeadByteCount))
        for _ in 0..<rowCount {
            guard let source = reader.next(Int32.self), let offset = reader.next(Int64.self),
                let version = reader.next(Int64.self), let deleted = reader.next(UInt8.self),
                let count = reader.next(UInt32.self), let json = reader.next(Int(count))
            else { return nil }
            rows.append(
                Row(
                    source: SourceID(rawValue: source), offset: offset, version: version, deleted: deleted != 0,
                    json: Array(json)))
        }
        guard reader.isAtEnd else { return nil }
    }
}
