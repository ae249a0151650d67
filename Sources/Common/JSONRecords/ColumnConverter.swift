internal import Common

/// Turns what a document or record holds for one column into its value, or says why it can't.
///
/// A class, so that reaching it costs one reference and not one for each of its column's texts. Owned by one thread.
final class ColumnConverter {
    let column: Column
    /// The bounds of an added-up column hold for the row's sum, not for a record's change.
    private let bounded: Bool
    let extras: ColumnExtras?

    init(_ column: Column, addsUp: Bool) {
        self.column = column
        bounded = !addsUp
        extras = ColumnExtras(column)
    }

    func convert(_ value: DocumentReader.Value) throws(RecordRejection) -> ColumnValue {
        switch value {
        case .missing, .null:
            if let fallback = extras?.fallback { return fallback }
            guard !column.required else {
                throw RecordRejection(.missing, "required column '\(column.name)' has no value")
            }
            return .null
        case .boolean(let value):
            if column.type == .text, column.coerce { return try text(.boolean(value)) }
            guard column.type == .boolean else { throw mismatch("a boolean") }
            return .boolean(value)
        case .integer(let value): return try number(Double(value), exactly: value)
        case .double(let value): return try number(value, exactly: Self.integer(value))
        case .string(let bytes): return try string(bytes, isFromDocument: true)
        case .nested: throw mismatch("an object or array")
        case .beyond:
            if column.type.isNumeric { throw range("has a number beyond what 64 bits hold") }
            throw mismatch("a number beyond what 64 bits hold")
        case .brokenText:
            throw mismatch("a text with half a surrogate (like \\ud83d alone), which is no Unicode text")
        }
    }

    func mismatch(_ what: String) -> RecordRejection {
        RecordRejection(.wrongType, "column '\(column.name)' is \(column.type.rawValue), the record has \(what)")
    }

    func range(_ what: String) -> RecordRejection {
        RecordRejection(.outOfRange, "column '\(column.name)' \(what)")
    }

    /// A number with a fraction or exponent as an integer, where it surely was one: beyond 2⁵³ its last digits are gone.
    private static func integer(_ value: Double) -> Int64? {
        value.magnitude <= Double(CanonicalJSON.integerLimit) ? Int64(exactly: value) : nil
    }

    /// - Parameter exactly: the number as an integer, nil when it has a fraction or is beyond 64 bits.
    func number(_ value: Double, exactly: Int64?) throws(RecordRejection) -> ColumnValue {
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
        case .timestamp: return .timestamp(try moment(value, exactly: exactly))
        case .text where column.coerce: return try text(exactly.map { .integer($0) } ?? .double(value))
        case .boolean where column.coerce && (value == 0 || value == 1): return .boolean(value == 1)
        case .text, .uuid, .boolean: throw mismatch("a number")
        }
    }

    private func checkBounds(_ value: Double) throws(RecordRejection) {
        guard bounded else { return }
        if let min = column.min, value < min { throw range("is below \(min)") }
        if let max = column.max, value > max { throw range("is above \(max)") }
    }

    func string(
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
            if let zone = extras?.zone {
                if let value = Timestamp(iso: bytes, orIn: zone) { return .timestamp(value) }
            } else if let value = Timestamp(iso: bytes) {
                return .timestamp(value)
            }
            if column.coerce, let number = NumberText(bytes) { return try self.number(number) }
            throw mismatch("a string that is not an ISO 8601 time")
        case .integer, .bigint, .double:
            guard column.coerce || !isFromDocument else { throw mismatch("a string; with coerce it may hold a number") }
            guard let number = NumberText(bytes) else { throw mismatch("a string that is not a decimal number") }
            return try self.number(number)
        case .boolean:
            guard column.coerce || !isFromDocument else {
                throw mismatch("a string; with coerce it may be true or false")
            }
            guard let value = Self.boolean(bytes) else { throw mismatch("a string that is not true or false") }
            return .boolean(value)
        }
    }

    private func number(_ text: NumberText) throws(RecordRejection) -> ColumnValue {
        try number(text.value, exactly: text.integer ?? Self.integer(text.value))
    }

    private func text(_ value: ColumnValue) throws(RecordRejection) -> ColumnValue {
        guard let extras else { throw mismatch("no text") }
        return try string(extras.text(of: value), isFromDocument: true)
    }

    private static func boolean(_ bytes: UnsafeRawBufferPointer) -> Bool? {
        guard bytes.count <= 5 else { return nil }
        switch String(decoding: bytes, as: UTF8.self).lowercased() {
        case "true", "t", "yes", "y", "on", "1": return true
        case "false", "f", "no", "n", "off", "0": return false
        default: return nil
        }
    }
}
