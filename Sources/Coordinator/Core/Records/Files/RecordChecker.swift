internal import Common
internal import JSONRecords

/// Tells whether bytes are a JSON object that a record may have, and its key. Whether it becomes a row or a dead letter
/// is decided where it is stored.
final class RecordChecker {
    private let key: RecordKey?
    /// Of a stream without keys.
    private var reader: DocumentReader

    init(_ stream: StreamDefinition, byteLimit: Int) throws(StartError) {
        key = RecordKey(stream, byteLimit: byteLimit)
        guard key != nil || stream.key.isEmpty else {
            throw StartError(
                "stream '\(stream.name)' takes its key from Kafka's record, which a file does not hold", .usage)
        }
        reader = DocumentReader(paths: [], byteLimit: byteLimit)
    }

    /// - Throws: `RecordRejection`, or what `body` throws.
    func check(_ document: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer?) throws -> Void) throws {
        guard let key else {
            try reader.read(document)
            return try body(nil)
        }
        try key.withKey(of: document) { key in Result { try body(key) } }.get()
    }
}
