package import Common

/// Decodes records of one stream into the values of its columns, or says why one can't be a row.
///
/// Owned by one thread. `values` borrow from the decoder and from the record until the next call.
package struct RecordDecoder: ~Copyable {
    /// What a record says of its row.
    package enum Decoded {
        case row
        /// The key's columns name it, the others are null.
        case deleted
    }

    private var reader: DocumentReader
    private let converters: [ColumnConverter]
    private let plain: UnsafeMutableBufferPointer<PlainColumn>
    private let changes: ChangePaths?
    private let skippedByteCount: Int
    private let keyIndices: [Int]
    private let keyColumns: [Column]
    private let storage: UnsafeMutableBufferPointer<ColumnValue>
    private let isKeyed: Bool
    private let watch: ColumnWatch?
    /// The reader's place of the last document's first column.
    private var firstPath = 0
    /// What the values of the last tombstone borrow from.
    private var tombstoneKey: TombstoneKey?

    /// - Parameters:
    ///   - byteLimit: larger records are dead letters.
    ///   - watch: is told of each document.
    package init(_ stream: StreamDefinition, byteLimit: Int = 1_048_576, watch: ColumnWatch? = nil) {
        self.watch = watch
        isKeyed = stream.isKeyed
        var names: [String] = []
        plain = .allocate(capacity: stream.columns.count)
        for (index, column) in stream.columns.enumerated() {
            var place: Int?
            if case .path(let path) = column.origin {
                place = names.count
                names.append(path)
            }
            plain.initializeElement(
                at: index, to: PlainColumn(column, path: place, addsUp: stream.increments.contains(column.name)))
        }
        changes = stream.changeRecords.map { _ in ChangePaths(rowPaths: names) }
        skippedByteCount = stream.skipPrefix
        keyIndices = stream.keyIndices
        keyColumns = stream.keyIndices.map { stream.columns[$0] }
        reader = DocumentReader(paths: changes?.all ?? names, byteLimit: byteLimit)
        converters = stream.columns.map { ColumnConverter($0, addsUp: stream.increments.contains($0.name)) }
        tombstoneKey = nil
        storage = .allocate(capacity: stream.columns.count)
        storage.initialize(repeating: .null)
    }

    deinit {
        storage.deallocate()
        plain.deallocate()
    }

    /// The columns that no record of the watch's present run had.
    package var absentColumns: [AbsentColumn] {
        guard let watch, watch.count > 0 else { return [] }
        return watch.absentSoFar(reader, firstPath: firstPath)
    }

    /// The last record's values, in the order of the stream's columns; at one place as long as the decoder lives.
    package var values: UnsafeBufferPointer<ColumnValue> { UnsafeBufferPointer(storage) }

    /// What becomes of a record as Kafka has it.
    ///
    /// - Parameter value: nil for a tombstone.
    package mutating func outcome(
        of value: UnsafeRawBufferPointer?, _ metadata: borrowing RecordMetadata
    ) throws(RecordRejection) -> Decoded {
        guard let value else {
            guard isKeyed else {
                throw RecordRejection(.empty, "the record has no value, and an append stream no deletes")
            }
            try decodeTombstone(metadata)
            return .deleted
        }
        guard !value.isEmpty else { throw RecordRejection(.empty, "the record's value has no bytes") }
        let decoded = try decode(value, metadata)
        guard decoded == .row || isKeyed else {
            throw RecordRejection(.empty, "the record deletes a row, and an append stream has no deletes")
        }
        return decoded
    }

    /// A tombstone of a keyed stream: the Kafka key names the row (see `TombstoneKey`), the other columns are null.
    package mutating func decodeTombstone(_ metadata: borrowing RecordMetadata) throws(RecordRejection) {
        guard let key = metadata.key else { throw RecordRejection(.badKey, "a tombstone needs a Kafka key") }
        for index in converters.indices { storage[index] = .null }
        let first = keyIndices[0]
        if keyIndices.count == 1, converters[first].column.binary {
            storage[first] = try converters[first].convert(kafkaBytes: key)
            return
        }
        let values = try TombstoneKey.read(key, keyColumns)
        for (position, index) in keyIndices.enumerated() {
            storage[index] = try converters[index].convert(kafkaBytes: values[position])
        }
        tombstoneKey = consume values
    }

    @discardableResult
    package mutating func decode(
        _ document: UnsafeRawBufferPointer, _ metadata: borrowing RecordMetadata
    ) throws(RecordRejection) -> Decoded {
        if skippedByteCount > 0 {
            guard document.count > skippedByteCount else {
                throw RecordRejection(
                    .empty, "the record has \(document.count) bytes, of which skip_prefix takes \(skippedByteCount)")
            }
            try reader.read(UnsafeRawBufferPointer(rebasing: document[skippedByteCount...]))
        } else {
            try reader.read(document)
        }
        if let changes { return try decode(changes, metadata) }
        watch?.note(reader, firstPath: 0)
        try convert(firstPath: 0, metadata)
        return .row
    }

    /// All columns of the row whose first path is at a place.
    private mutating func convert(
        firstPath: Int, _ metadata: borrowing RecordMetadata
    ) throws(RecordRejection) {
        for index in storage.indices {
            guard let path = plain[index].path else {
                storage[index] = try converters[index].convert(metadata)
                continue
            }
            let found = reader[firstPath + path]
            storage[index] =
                if let value = plain[index].value(of: found) { value } else {
                    try converters[index].convert(found)
                }
        }
    }

    private mutating func decode(
        _ changes: ChangePaths, _ metadata: borrowing RecordMetadata
    ) throws(RecordRejection) -> Decoded {
        let change = try changes.change(in: reader)
        guard change.isDelete else {
            firstPath = change.firstPath
            watch?.note(reader, firstPath: firstPath)
            try convert(firstPath: change.firstPath, metadata)
            return .row
        }
        guard change.hasRow else {
            // A database that logs no old rows: Kafka's key names the row.
            try decodeTombstone(metadata)
            return .deleted
        }
        for index in converters.indices { storage[index] = .null }
        for index in keyIndices {
            guard let path = plain[index].path else {
                storage[index] = try converters[index].convert(metadata)
                continue
            }
            storage[index] = try converters[index].convert(reader[change.firstPath + path])
        }
        return .deleted
    }
}
