/// A decoded value of a column. Bytes are borrowed from the decoder and live until its next record.
package enum ColumnValue {
    case null
    case boolean(Bool)
    /// The value of an integer or bigint column.
    case integer(Int64)
    case double(Double)
    case timestamp(Timestamp)
    case uuid(UUIDValue)
    /// UTF-8 of a text column.
    case text(UnsafeRawBufferPointer)

    package var isNull: Bool {
        if case .null = self { true } else { false }
    }
}
