internal import Common
internal import JSONRecords

/// Makes of a JSON object that calls things differently one that the stream understands. Only what it has columns for
/// goes on.
final class FieldRenaming {
    private let entries: [FieldMap.Entry]
    private let layout: DocumentLayout
    private var reader: DocumentReader
    private var writer = ByteWriter(capacity: 1024)

    init(_ stream: StreamDefinition, _ map: [String: String], byteLimit: Int) throws(StartError) {
        entries = try FieldMap(stream, map).entries
        layout = try FieldMap.layout(entries, of: stream)
        reader = DocumentReader(paths: entries.map { $0.field ?? $0.path }, byteLimit: byteLimit)
    }

    /// The bytes live until the next call.
    /// - Throws: `RecordRejection`.
    func rename(_ document: UnsafeRawBufferPointer) throws -> UnsafeRawBufferPointer {
        try reader.read(document)
        writer.truncate()
        try layout.write(to: &writer) { index, writer throws in
            let value: ColumnValue =
                switch reader[index] {
                case .missing, .null: .null
                case .boolean(let value): .boolean(value)
                case .integer(let value): .integer(value)
                case .double(let value): .double(value)
                case .string(let bytes): .text(bytes)
                case .nested: throw refusal(index, "an object or array")
                case .beyond: throw refusal(index, "a number beyond what 64 bits hold")
                case .brokenText: throw refusal(index, "a text with half a surrogate")
                }
            CanonicalJSON.write(value, asString: false, to: &writer)
        }
        return writer.bytes
    }

    private func refusal(_ index: Int, _ what: String) -> RecordRejection {
        let entry = entries[index]
        return RecordRejection(.wrongType, "field '\(entry.field ?? entry.path)' is \(what), which can't be mapped")
    }
}
