/// The value of a column for records that have none: a text, number or boolean, as it would stand in a record.
package enum ColumnDefault: Hashable, Sendable, Codable {
    case boolean(Bool)
    case integer(Int64)
    case number(Double)
    case text(String)

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let value = try? container.decode(Bool.self) {
            self = .boolean(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .text(value)
        } else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "a default is a text, number or boolean; without one it is null")
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .boolean(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .text(let value): try container.encode(value)
        }
    }

    /// Why it can't be a value of the column; nil when it can.
    package func problem(in column: Column) -> String? {
        let number: Double? =
            switch self {
            case .integer(let value): Double(value)
            case .number(let value): value
            case .boolean, .text: nil
            }
        switch (column.type, self) {
        case (.text, .text(let text)):
            if text.utf8.contains(0) { return "holds NUL, which Postgres text can't" }
            if let limit = column.maxLength, text.unicodeScalars.count > limit { return "is longer than max_length" }
            return nil
        case (.boolean, .boolean): return nil
        case (.uuid, .text(var text)):
            return text.withUTF8({ UUIDValue(UnsafeRawBufferPointer($0)) }) == nil ? "is not a UUID" : nil
        case (.timestamp, .text(var text)):
            return text.withUTF8({ Timestamp(iso: UnsafeRawBufferPointer($0)) }) == nil
                ? "is not an ISO 8601 time like 2026-01-31T12:00:00Z" : nil
        case (.integer, .integer(let value)) where Int32(exactly: value) == nil: return "is beyond 32 bits"
        case (.bigint, .integer(let value)) where !column.jsonString && value.magnitude > CanonicalJSON.integerLimit:
            return "is beyond ±(2⁵³−1); see json_string"
        case (.integer, .integer), (.bigint, .integer), (.double, .integer), (.double, .number):
            guard let number, number.isFinite else { return "is not finite" }
            if let min = column.min, number < min { return "is below min" }
            if let max = column.max, number > max { return "is above max" }
            return nil
        default: return "is no value of a \(column.type.rawValue) column"
        }
    }
}
