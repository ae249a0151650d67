package import Common

/// Reads back what Postgres prints, in a session of `Connection`.
extension ColumnValue {
    /// Nil when the text is not a value of the type: the table differs from the stream's definition.
    package init?(stored text: UnsafeRawBufferPointer?, type: ColumnType) {
        guard let text else {
            self = .null
            return
        }
        func parsed<Value: LosslessStringConvertible>() -> Value? { Value(String(decoding: text, as: UTF8.self)) }
        let value: ColumnValue? =
            switch type {
            case .text: .text(text)
            case .boolean: text.first == UInt8(ascii: "t") ? .boolean(true) : .boolean(false)
            case .integer, .bigint: parsed().map { .integer($0) }
            case .double: parsed().map { .double($0) }
            case .uuid: UUIDValue(text).map { .uuid($0) }
            case .timestamp: Timestamp(stored: text).map { .timestamp($0) }
            }
        guard let value else { return nil }
        self = value
    }
}
