internal import Common
private import Glibc

/// What most values of a column are, tried first: without a reference, an error, or an option beyond bounds. What it does not
/// take goes by way of the column's `ColumnConverter`, to the same end or to a reason.
struct PlainColumn {
    /// Its place among the document's paths; nil where Kafka's record holds it.
    let path: Int?
    private let type: ColumnType
    private let isOptional: Bool
    private let hasZone: Bool
    /// Bounds, included; nothing where the lower is above the upper.
    private let integers: (Int64, Int64)
    private let doubles: (Double, Double)
    private let byteLimit: Int

    init(_ column: Column, path: Int?, addsUp: Bool) {
        self.path = path
        type = column.type
        isOptional = !column.required && column.defaultValue == nil
        hasZone = column.timezone != nil
        byteLimit = column.maxLength ?? .max
        let low = addsUp ? -Double.infinity : column.min ?? -.infinity
        let high = addsUp ? Double.infinity : column.max ?? .infinity
        doubles = (low, high)
        // Beyond these a bound may not be exact.
        let limit = column.type == .integer ? Int64(Int32.max) : CanonicalJSON.integerLimit
        let isPossible = low <= Double(limit) && high >= Double(-limit)
        integers =
            isPossible
            ? (Int64(max(low.rounded(.up), Double(-limit))), Int64(min(high.rounded(.down), Double(limit)))) : (1, 0)
    }

    /// Nil for what it does not know.
    func value(of found: DocumentReader.Value) -> ColumnValue? {
        switch (found, type) {
        case (.integer(let value), .integer), (.integer(let value), .bigint):
            return integers.0 <= value && value <= integers.1 ? .integer(value) : nil
        case (.double(let value), .double): return isWithin(value) ? .double(value) : nil
        case (.integer(let value), .double): return isWithin(Double(value)) ? .double(Double(value)) : nil
        case (.string(let bytes), .text):
            guard bytes.count <= byteLimit, let start = bytes.baseAddress, memchr(start, 0, bytes.count) == nil else {
                return nil
            }
            return .text(bytes)
        case (.string(let bytes), .uuid): return UUIDValue(bytes).map { .uuid($0) }
        case (.string(let bytes), .timestamp) where !hasZone: return Timestamp(iso: bytes).map { .timestamp($0) }
        case (.boolean(let value), .boolean): return .boolean(value)
        case (.missing, _), (.null, _): return isOptional ? .null : nil
        default: return nil
        }
    }

    private func isWithin(_ value: Double) -> Bool { value.isFinite && doubles.0 <= value && value <= doubles.1 }
}
