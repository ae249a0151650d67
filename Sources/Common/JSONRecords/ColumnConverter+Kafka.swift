internal import Common

/// What surrounds a record's JSON: Kafka's key, headers and numbers.
extension ColumnConverter {
    func convert(_ metadata: borrowing RecordMetadata) throws(RecordRejection) -> ColumnValue {
        switch column.origin {
        case .path: preconditionFailure("a path is read from the document")
        case .key:
            guard let key = metadata.key else { return try convert(.missing) }
            return try convert(kafkaBytes: key)
        case .partition: return try convert(.integer(Int64(metadata.partition)))
        case .offset: return try convert(.integer(metadata.offset))
        case .header(let name):
            guard let value = metadata.headers.last(where: { $0.name == name })?.value else {
                return try convert(.missing)
            }
            return try convert(kafkaBytes: value)
        case .timestamp:
            guard let milliseconds = metadata.timestamp else { return try convert(.missing) }
            guard column.type == .timestamp else { return try convert(.integer(milliseconds)) }
            guard let value = Timestamp(unixMilliseconds: milliseconds) else {
                throw RecordRejection(.outOfRange, "the record's timestamp lies outside the years 1 to 9999")
            }
            return .timestamp(value)
        }
    }

    /// A Kafka key or header: text of any type, which is not known to be UTF-8, or the type's bytes.
    func convert(kafkaBytes bytes: UnsafeRawBufferPointer) throws(RecordRejection) -> ColumnValue {
        if column.binary { return try convert(binary: bytes) }
        if column.type == .text, bytes.contains(0) {
            throw RecordRejection(.nul, "column '\(column.name)' has \(bytes.count) bytes with NUL\(binaryHint(bytes))")
        }
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw mismatch("\(bytes.count) bytes that are not UTF-8\(binaryHint(bytes))")
        }
        // Small numbers in binary are UTF-8 too: mostly NUL.
        if column.type != .text, bytes.contains(where: { $0 < 0x20 }) {
            throw mismatch("\(bytes.count) bytes that are no text\(binaryHint(bytes))")
        }
        return try string(bytes, isFromDocument: false)
    }

    private func binaryHint(_ bytes: UnsafeRawBufferPointer) -> String {
        let what =
            switch bytes.count {
            case 4: "integer"
            case 8: "bigint or double precision"
            case 16: "uuid"
            default: ""
            }
        return what.isEmpty ? "" : ", perhaps a binary \(what): a column of that type takes it with \"binary\": true"
    }

    /// In network order, as Kafka's own serializers write them.
    private func convert(binary bytes: UnsafeRawBufferPointer) throws(RecordRejection) -> ColumnValue {
        func number<Value: FixedWidthInteger>(_: Value.Type) -> Value {
            Value(bigEndian: bytes.loadUnaligned(as: Value.self))
        }
        switch (column.type, bytes.count) {
        case (.boolean, 1) where bytes[0] <= 1: return .boolean(bytes[0] == 1)
        case (.integer, 4), (.bigint, 4): return try convert(.integer(Int64(number(Int32.self))))
        case (.integer, 8), (.bigint, 8), (.timestamp, 8): return try convert(.integer(number(Int64.self)))
        case (.double, 8): return try convert(.double(Double(bitPattern: number(UInt64.self))))
        case (.double, 4): return try convert(.double(Double(Float(bitPattern: number(UInt32.self)))))
        case (.uuid, 16):
            let low = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            return .uuid(UUIDValue(high: number(UInt64.self), low: low))
        default: throw mismatch("\(bytes.count) bytes, which are no binary form of it")
        }
    }
}
