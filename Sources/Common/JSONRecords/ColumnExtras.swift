internal import Common

/// What only few columns need, so that the others don't carry it. Owned by its converter's thread.
final class ColumnExtras {
    /// The column's default. Its text lies in `defaultText`.
    private(set) var fallback: ColumnValue?
    /// The zone of times that name none.
    let zone: LocalTimeZone?
    /// The last number or boolean that became text: lent until the next.
    private var text = ByteWriter(capacity: 32)
    private var defaultText = ByteWriter(capacity: 16)

    /// Nil for a column that needs none of it.
    init?(_ column: Column) {
        guard column.defaultValue != nil || column.timezone != nil || (column.coerce && column.type == .text) else {
            return nil
        }
        zone = column.timezone.flatMap(LocalTimeZone.init)
        fallback = column.defaultValue.flatMap { value($0, column) }
    }

    /// `StreamValidation` has told what is no value of the column.
    private func value(_ value: ColumnDefault, _ column: Column) -> ColumnValue? {
        switch value {
        case .boolean(let value): return .boolean(value)
        case .integer(let value): return column.type == .double ? .double(Double(value)) : .integer(value)
        case .number(let value): return .double(value)
        case .text(let value):
            defaultText.append(value)
            let bytes = defaultText.bytes
            switch column.type {
            case .text: return .text(bytes)
            case .uuid: return UUIDValue(bytes).map { .uuid($0) }
            case .timestamp:
                let moment = zone.map { Timestamp(iso: bytes, orIn: $0) } ?? Timestamp(iso: bytes)
                return moment.map { .timestamp($0) }
            case .boolean, .integer, .bigint, .double: return nil
            }
        }
    }

    /// A value as the text in which it stands in JSON.
    func text(of value: ColumnValue) -> UnsafeRawBufferPointer {
        text.truncate()
        CanonicalJSON.write(value, asString: false, to: &text)
        return text.bytes
    }
}
