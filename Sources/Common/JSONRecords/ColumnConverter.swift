internal import Common

/// Turns what a document or record holds for one column into its value, or says why it can't.
struct ColumnConverter {
    let column: Column
    /// The bounds of an added-up column hold for the row's sum, not for a record's change.
    private let bounded: Bool

    init(_ column: Column, addsUp: Bool) {
        self.column = column
        bounded = !addsUp
    }

    func convert(_ value: DocumentReader.Value) throws(RecordRejection) -> ColumnValue {
        switch value {
        case .missing, .null:
            guard !column.required else {
                throw RecordRejection(.missing, "required column '\(column.name)' has no value")
            }
            return .null
        case .boolean(let value):
            guard column.type == .boolean else { throw mismatch("a boolean") }
            return .boolean(value)
        case .integer(let value): return try number(Double(value), exactly: value)
        case .double(let value): return try number(value, exactly: Int64(exactly: value))
        case .string(let bytes): return try string(bytes, isFromDocument: true)
        case .nested: throw mismatch("an object or array")
        }
    }

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

    /// A Kafka key or header: text of any type, which is not known to be UTF-8.
    func convert(kafkaBytes bytes: UnsafeRawBufferPointer) throws(RecordRejection) -> ColumnValue {
        guard String(validating: bytes, as: UTF8.self) != nil else { throw mismatch("bytes that are not UTF-8") }
        return try string(bytes, isFromDocument: false)
    }

    private func mismatch(_ what: String) -> RecordRejection {
        RecordRejection(.wrongType, "column '\(column.name)' is \(column.type.rawValue), the record has \(what)")
    }

    private func range(_ what: String) -> RecordRejection {
        RecordRejection(.outOfRange, "column '\(column.name)' \(what)")
    }

    /// - Parameter exactly: the number as an integer, nil when it has a fraction or is beyond 64 bits.
    private func number(_ value: Double, exactly: Int64?) throws(RecordRejection) -> ColumnValue {
        switch column.type {
        case .double:
            guard value.isFinite else { throw range("must be finite") }
            try checkBounds(value)
            return .double(value)
        case .integer, .bigint:
            guard let exactly else { throw mismatch("a number that is not a 64-bit integer") }
            try checkBounds(value)
            if column.type == .integer, Int32(exactly: exactly) == nil {
                throw range("is beyond 32 bits")
            }
            if column.type == .bigint, !column.jsonString, exactly.magnitude > CanonicalJSON.integerLimit {
                throw range("is beyond ±(2⁵³−1), which JSON's readers can't hold exactly; see json_string")
            }
            return .integer(exactly)
        case .timestamp where column.coerce:
            guard let value = Timestamp(unixNumber: value) else { throw range("lies outside the years 1 to 9999") }
            return .timestamp(value)
        case .text, .uuid, .boolean, .timestamp: throw mismatch("a number")
        }
    }

    private func checkBounds(_ value: Double) throws(RecordRejection) {
        guard bounded else { return }
        if let min = column.min, value < min { throw range("is below \(min)") }
        if let max = column.max, value > max { throw range("is above \(max)") }
    }

    private func string(
        _ bytes: UnsafeRawBufferPointer, isFromDocument: Bool
    ) throws(RecordRejection) -> ColumnValue {
        switch column.type {
        case .text:
            if bytes.contains(0) {
                throw RecordRejection(.nul, "column '\(column.name)' holds NUL, which Postgres text can't")
            }
            if let limit = column.maxLength, bytes.count > limit {
                // A UTF-8 continuation byte starts no scalar.
                let scalars = bytes.count { $0 & 0xC0 != 0x80 }
                if scalars > limit {
                    throw RecordRejection(
                        .tooLong, "column '\(column.name)' has \(scalars) characters of at most \(limit)")
                }
            }
            return .text(bytes)
        case .uuid:
            guard let value = UUIDValue(bytes) else { throw mismatch("a string that is not a UUID") }
            return .uuid(value)
        case .timestamp:
            if let value = Timestamp(iso: bytes) { return .timestamp(value) }
            if column.coerce, let number = Self.double(bytes) { return try self.number(number, exactly: nil) }
            throw mismatch("a string that is not an ISO 8601 time")
        case .integer, .bigint, .double:
            guard column.coerce || !isFromDocument, let value = Self.double(bytes) else { throw mismatch("a string") }
            return try number(value, exactly: Int64(String(decoding: bytes, as: UTF8.self)) ?? Int64(exactly: value))
        case .boolean: throw mismatch("a string")
        }
    }

    private static func double(_ bytes: UnsafeRawBufferPointer) -> Double? {
        guard bytes.count <= 64 else { return nil }
        return Double(String(decoding: bytes, as: UTF8.self))
    }
}
