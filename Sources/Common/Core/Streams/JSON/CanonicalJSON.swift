/// The one way in which a stored value leaves Millrace: feed, snapshot, replay and HTTP write the same bytes.
package enum CanonicalJSON {
    /// Integers beyond ±(2⁵³−1) are not exact in JSON's readers (RFC 8259, section 6).
    package static let integerLimit: Int64 = 9_007_199_254_740_991
    /// Bytes of a value of any type, but for a text's own.
    private static let valueByteLimit = 40

    /// A row as one object, in the order of the columns.
    package static func write(row values: UnsafeBufferPointer<ColumnValue>, keys: Keys, to writer: inout ByteWriter) {
        precondition(values.count == keys.count)
        var byteCount = keys.byteCount + values.count * valueByteLimit
        for case .text(let text) in values { byteCount += text.count }
        var place = writer.room(for: byteCount)
        keys.forEach { index, prefix, asString in
            place.put(wordsOf: prefix.baseAddress!, count: prefix.count)
            guard !put(values[index], asString: asString, at: &place) else { return }
            writer.advance(to: place)
            writeRare(values[index], to: &writer)
            place = writer.room(for: byteCount)
        }
        place.put(UInt8(ascii: "}"))
        writer.advance(to: place)
    }

    package static func write(_ value: ColumnValue, asString: Bool, to writer: inout ByteWriter) {
        var byteCount = valueByteLimit
        if case .text(let text) = value { byteCount += text.count }
        var place = writer.room(for: byteCount)
        let isWritten = put(value, asString: asString, at: &place)
        writer.advance(to: place)
        if !isWritten { writeRare(value, to: &writer) }
    }

    /// False, with nothing written, for what is rare.
    @inline(__always) private static func put(
        _ value: ColumnValue, asString: Bool, at place: inout UnsafeMutableRawPointer
    ) -> Bool {
        let quote = UInt8(ascii: "\"")
        switch value {
        case .null: place.put("null")
        case .boolean(let value): place.put(value ? "true" : "false")
        case .integer(let value):
            if asString { place.put(quote) }
            place.put(decimal: value)
            if asString { place.put(quote) }
        case .double(let value): return place.put(decimal: value)
        case .timestamp(let value):
            guard value.isWithinYears else { return false }
            place.put(quote)
            value.put(at: &place)
            place.put(quote)
        case .uuid(let value):
            place.put(quote)
            value.put(at: &place)
            place.put(quote)
        case .text(let text):
            let start = place
            place.put(quote)
            guard JSONString.put(text, at: &place) else {
                place = start
                return false
            }
            place.put(quote)
        }
        return true
    }

    /// What `put` leaves.
    private static func writeRare(_ value: ColumnValue, to writer: inout ByteWriter) {
        switch value {
        case .double(let value): write(double: value, to: &writer)
        case .timestamp(let value):
            writer.append(UInt8(ascii: "\""))
            value.write(to: &writer)
            writer.append(UInt8(ascii: "\""))
        case .text(let text): JSONString.write(text, to: &writer)
        case .null, .boolean, .integer, .uuid: preconditionFailure("always written")
        }
    }

    /// Shortest digits that read back as the same value; a whole number without `.0`, as Postgres prints it. What JSON has no
    /// number for (no record brings it, but somebody may have stored it) is a string, as Postgres's own `to_json` writes it.
    private static func write(double: Double, to writer: inout ByteWriter) {
        guard double.isFinite else {
            return writer.append(double.isNaN ? "\"NaN\"" : double > 0 ? "\"Infinity\"" : "\"-Infinity\"")
        }
        var text = double.description
        text.withUTF8 { bytes in
            let isWhole =
                bytes.count > 2 && bytes[bytes.count - 2] == UInt8(ascii: ".") && bytes.last == UInt8(ascii: "0")
            writer.append(
                UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[..<(bytes.count - (isWhole ? 2 : 0))]))
        }
    }

    package static func write(string text: String, to writer: inout ByteWriter) {
        var text = text
        text.withUTF8 { JSONString.write(UnsafeRawBufferPointer($0), to: &writer) }
    }
}
