package import Common

/// COPY's binary format (Postgres documentation, COPY, "Binary Format").
extension ByteWriter {
    /// Signature, no flags, no header extension.
    private static let copyHeader: [UInt8] =
        Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00] + [UInt8](repeating: 0, count: 8)

    package mutating func copyStart() {
        Self.copyHeader.withUnsafeBytes { append($0) }
    }

    package mutating func copyEnd() {
        append(bigEndian: Int16(-1))
    }

    package mutating func copyRow(fieldCount: Int) {
        append(bigEndian: Int16(fieldCount))
    }

    package mutating func copyNull() {
        append(bigEndian: Int32(-1))
    }

    // One function a type rather than a generic one: it would not be specialized for callers in other modules.

    package mutating func copyField(_ value: Int32) {
        append(bigEndian: Int32(4))
        append(bigEndian: value)
    }

    package mutating func copyField(_ value: Int64) {
        append(bigEndian: Int32(8))
        append(bigEndian: value)
    }

    package mutating func copyField(_ value: Double) {
        append(bigEndian: Int32(8))
        append(bigEndian: value.bitPattern)
    }

    package mutating func copyField(_ value: Bool) {
        append(bigEndian: Int32(1))
        append(value ? 1 : 0)
    }

    /// Null where there are no bytes.
    package mutating func copyField(_ bytes: UnsafeRawBufferPointer?) {
        guard let bytes else { return copyNull() }
        append(bigEndian: Int32(bytes.count))
        append(bytes)
    }

    package mutating func copyField(_ text: String) {
        var text = text
        text.withUTF8 { copyField(UnsafeRawBufferPointer($0)) }
    }

    package mutating func copyField(_ value: ColumnValue, type: ColumnType) {
        switch value {
        case .null: copyNull()
        case .boolean(let value): copyField(value)
        case .integer(let value): if type == .integer { copyField(Int32(value)) } else { copyField(value) }
        case .double(let value): copyField(value)
        case .timestamp(let value): copyField(value.microseconds)
        case .uuid(let value):
            append(bigEndian: Int32(16))
            append(bigEndian: value.high)
            append(bigEndian: value.low)
        case .text(let bytes): copyField(bytes)
        }
    }
}
