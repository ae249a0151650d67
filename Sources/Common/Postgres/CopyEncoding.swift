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

    // A row's fields, in one go: every field of every record passes here.

    /// - Parameter areNarrow: for each column whether it is an `integer`, of 4 bytes.
    package mutating func copyFields(
        _ values: UnsafeBufferPointer<ColumnValue>, areNarrow: UnsafeBufferPointer<Bool>
    ) {
        var place = room(for: Self.byteLimit(values))
        Self.put(values, areNarrow, at: &place)
        advance(to: place)
    }

    /// The same as a whole row, with two fields more.
    package mutating func copyRow(
        _ values: UnsafeBufferPointer<ColumnValue>, areNarrow: UnsafeBufferPointer<Bool>, _ first: Int32,
        _ second: Int64
    ) {
        var place = room(for: Self.byteLimit(values) + 2 + 8 + 12)
        Self.put(Int16(values.count + 2), at: &place)
        Self.put(values, areNarrow, at: &place)
        Self.put(Int32(4), at: &place)
        Self.put(first, at: &place)
        Self.put(Int32(8), at: &place)
        Self.put(second, at: &place)
        advance(to: place)
    }

    private static func byteLimit(_ values: UnsafeBufferPointer<ColumnValue>) -> Int {
        var byteCount = values.count * 20
        for value in values { if case .text(let bytes) = value { byteCount += bytes.count } }
        return byteCount
    }

    @inline(__always) private static func put<Integer: FixedWidthInteger>(
        _ integer: Integer, at place: inout UnsafeMutableRawPointer
    ) {
        place.storeBytes(of: integer.bigEndian, as: Integer.self)
        place += MemoryLayout<Integer>.size
    }

    @inline(__always) private static func put(
        _ values: UnsafeBufferPointer<ColumnValue>, _ areNarrow: UnsafeBufferPointer<Bool>,
        at place: inout UnsafeMutableRawPointer
    ) {
        for index in values.indices {
            switch values[index] {
            case .null: put(Int32(-1), at: &place)
            case .boolean(let value):
                put(Int32(1), at: &place)
                put(UInt8(value ? 1 : 0), at: &place)
            case .integer(let value) where areNarrow[index]:
                put(Int32(4), at: &place)
                put(Int32(value), at: &place)
            case .integer(let value):
                put(Int32(8), at: &place)
                put(value, at: &place)
            case .double(let value):
                put(Int32(8), at: &place)
                put(value.bitPattern, at: &place)
            case .timestamp(let value):
                put(Int32(8), at: &place)
                put(value.microseconds, at: &place)
            case .uuid(let value):
                put(Int32(16), at: &place)
                put(value.high, at: &place)
                put(value.low, at: &place)
            case .text(let bytes):
                put(Int32(bytes.count), at: &place)
                if let start = bytes.baseAddress { place.copyMemory(from: start, byteCount: bytes.count) }
                place += bytes.count
            }
        }
    }

    package mutating func copyField(_ value: UUIDValue) {
        append(bigEndian: Int32(16))
        append(bigEndian: value.high)
        append(bigEndian: value.low)
    }
}
