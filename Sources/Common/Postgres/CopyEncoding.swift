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

    /// The fields of a row, in one go: every field of every record passes here.
    ///
    /// - Parameter areNarrow: for each column whether it is an `integer`, of 4 bytes.
    package mutating func copyFields(
        _ values: UnsafeBufferPointer<ColumnValue>, areNarrow: UnsafeBufferPointer<Bool>
    ) {
        var byteCount = values.count * 20
        for value in values { if case .text(let bytes) = value { byteCount += bytes.count } }
        var place = room(for: byteCount)
        @inline(__always) func put<Integer: FixedWidthInteger>(_ integer: Integer) {
            place.storeBytes(of: integer.bigEndian, as: Integer.self)
            place += MemoryLayout<Integer>.size
        }
        for index in values.indices {
            switch values[index] {
            case .null: put(Int32(-1))
            case .boolean(let value):
                put(Int32(1))
                put(UInt8(value ? 1 : 0))
            case .integer(let value) where areNarrow[index]:
                put(Int32(4))
                put(Int32(value))
            case .integer(let value):
                put(Int32(8))
                put(value)
            case .double(let value):
                put(Int32(8))
                put(value.bitPattern)
            case .timestamp(let value):
                put(Int32(8))
                put(value.microseconds)
            case .uuid(let value):
                put(Int32(16))
                put(value.high)
                put(value.low)
            case .text(let bytes):
                put(Int32(bytes.count))
                if let start = bytes.baseAddress { place.copyMemory(from: start, byteCount: bytes.count) }
                place += bytes.count
            }
        }
        advance(to: place)
    }

    package mutating func copyField(_ value: UUIDValue) {
        append(bigEndian: Int32(16))
        append(bigEndian: value.high)
        append(bigEndian: value.low)
    }
}
