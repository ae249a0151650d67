package import Common

/// Decodes records of one stream into the values of its columns, or says why one can't be a row.
///
/// Owned by one thread. `values` borrow from the decoder and from the record until the next call.
package struct RecordDecoder: ~Copyable {
    private var reader: DocumentReader
    private let converters: [ColumnConverter]
    /// For each column its place among the document's paths, or nil when Kafka's record holds it.
    private let paths: [Int?]
    private let keyIndices: [Int]
    private let storage: UnsafeMutableBufferPointer<ColumnValue>
    /// What the values of the last tombstone borrow from.
    private var compositeKey: CompositeKey?

    /// - Parameter byteLimit: larger records are dead letters.
    package init(_ stream: StreamDefinition, byteLimit: Int = 1_048_576) {
        var names: [String] = []
        paths = stream.columns.map { column in
            guard case .path(let path) = column.origin else { return nil }
            names.append(path)
            return names.count - 1
        }
        keyIndices = stream.keyIndices
        reader = DocumentReader(paths: names, byteLimit: byteLimit)
        converters = stream.columns.map { ColumnConverter($0, addsUp: stream.increments.contains($0.name)) }
        compositeKey = nil
        storage = .allocate(capacity: stream.columns.count)
        storage.initialize(repeating: .null)
    }

    deinit {
        storage.deallocate()
    }

    /// The last record's values, in the order of the stream's columns.
    package var values: UnsafeBufferPointer<ColumnValue> { UnsafeBufferPointer(storage) }

    /// A tombstone of a keyed stream: the Kafka key names the row, the other columns are null. The key of several
    /// columns is a JSON array of their values.
    package mutating func decodeTombstone(_ metadata: borrowing RecordMetadata) throws(RecordRejection) {
        guard let key = metadata.key else { throw RecordRejection(.badKey, "a tombstone needs a Kafka key") }
        for index in converters.indices { storage[index] = .null }
        guard keyIndices.count > 1 else {
            storage[keyIndices[0]] = try converters[keyIndices[0]].convert(kafkaBytes: key)
            return
        }
        guard let values = CompositeKey(key, count: keyIndices.count) else {
            throw RecordRejection(
                .badKey, "a tombstone's key must be a JSON array of \(keyIndices.count) strings or numbers")
        }
        for (position, index) in keyIndices.enumerated() {
            storage[index] = try converters[index].convert(kafkaBytes: values[position])
        }
        compositeKey = consume values
    }

    package mutating func decode(
        _ document: UnsafeRawBufferPointer, _ metadata: borrowing RecordMetadata
    ) throws(RecordRejection) {
        try reader.read(document)
        for index in converters.indices {
            storage[index] =
                if let path = paths[index] {
                    try converters[index].convert(reader[path])
                } else {
                    try converters[index].convert(metadata)
                }
        }
    }
}
