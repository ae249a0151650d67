package import Common

/// The Kafka key of a stream's records, for whoever produces them: text as it is, unless it could be taken for JSON, then
/// as a JSON string; other types in their canonical form; of several columns a JSON array. `TombstoneKey` reads it back.
///
/// Owned by one thread; a class, so that whoever has many streams can look theirs up.
package final class RecordKey {
    private var reader: DocumentReader
    private let converters: [ColumnConverter]
    private var writer: ByteWriter

    /// Nil when the stream has no key, or takes it from Kafka's record rather than from the JSON: then there is nothing
    /// to read it from.
    /// - Parameter byteLimit: of a document.
    package init?(_ stream: StreamDefinition, byteLimit: Int = 1_048_576) {
        let columns = stream.keyIndices.map { stream.columns[$0] }
        let paths = columns.compactMap { column in
            if case .path(let path) = column.origin { path } else { nil }
        }
        guard !paths.isEmpty, paths.count == columns.count else { return nil }
        let place = stream.changeRecords == nil ? "" : "after."
        reader = DocumentReader(paths: paths.map { place + $0 }, byteLimit: byteLimit)
        converters = columns.map { ColumnConverter($0, addsUp: false) }
        writer = ByteWriter(capacity: 64)
    }

    /// Hands out the key of a document, for the length of the call; nil where a part of it is missing or would be
    /// rejected: such a record becomes a dead letter, wherever it lies.
    /// - Throws: that the document is no JSON object, or is too large.
    package func withKey<Value>(
        of document: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer?) -> Value
    ) throws(RecordRejection) -> Value {
        try reader.read(document)
        writer.truncate()
        guard write() else { return body(nil) }
        return body(writer.bytes)
    }

    /// The same, copied.
    package func bytes(of document: UnsafeRawBufferPointer) throws(RecordRejection) -> [UInt8]? {
        try withKey(of: document) { $0.map { Array($0) } }
    }

    private func write() -> Bool {
        guard converters.count > 1 else {
            guard let value = value(0) else { return false }
            if case .text(let bytes) = value {
                let start = bytes.first { $0 != UInt8(ascii: " ") }
                if start == UInt8(ascii: "{") || start == UInt8(ascii: "\"") {
                    CanonicalJSON.write(value, asString: false, to: &writer)
                } else {
                    writer.append(bytes)
                }
            } else {
                CanonicalJSON.write(value, asString: false, to: &writer)
                unquote()
            }
            return true
        }
        for index in converters.indices {
            guard let value = value(index) else { return false }
            writer.append(UInt8(ascii: index == 0 ? "[" : ","))
            CanonicalJSON.write(value, asString: converters[index].column.jsonString, to: &writer)
        }
        writer.append(UInt8(ascii: "]"))
        return true
    }

    private func value(_ index: Int) -> ColumnValue? {
        let value = try? converters[index].convert(reader[index])
        return value.flatMap { $0.isNull ? nil : $0 }
    }

    /// What is not text has nothing in it that would be escaped.
    private func unquote() {
        let text = writer.bytes
        guard text.first == UInt8(ascii: "\"") else { return }
        let inner = Array(text.dropFirst().dropLast())
        writer.truncate()
        inner.withUnsafeBytes { writer.append($0) }
    }
}
