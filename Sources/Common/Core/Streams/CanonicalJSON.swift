/// The one way in which a stored value leaves Millrace: feed, snapshot, replay and HTTP write the same bytes.
package enum CanonicalJSON {
    /// Integers beyond ±(2⁵³−1) are not exact in JSON's readers (RFC 8259, section 6).
    package static let integerLimit: Int64 = 9_007_199_254_740_991

    /// The names of a stream's columns as object keys, escaped once: `"name":`, with `{` or `,` before it.
    package struct Keys: Sendable {
        let prefixes: [[UInt8]]
        let asString: [Bool]
        /// Bytes before each value, from the end of the one before.
        package var prefixLengths: [Int] { prefixes.map(\.count) }

        package init(_ columns: [Column]) {
            prefixes = columns.enumerated().map { index, column in
                var writer = ByteWriter()
                writer.append(UInt8(ascii: index == 0 ? "{" : ","))
                column.name.withCString { name in
                    CanonicalJSON.write(
                        string: UnsafeRawBufferPointer(start: name, count: column.name.utf8.count), to: &writer)
                }
                writer.append(UInt8(ascii: ":"))
                return Array(writer.bytes)
            }
            asString = columns.map(\.jsonString)
        }
    }

    /// A row as one object, in the order of the columns.
    package static func write(row values: UnsafeBufferPointer<ColumnValue>, keys: Keys, to writer: inout ByteWriter) {
        for index in 0..<values.count {
            keys.prefixes[index].withUnsafeBytes { writer.append($0) }
            write(values[index], asString: keys.asString[index], to: &writer)
        }
        writer.append(UInt8(ascii: "}"))
    }

    package static func write(_ value: ColumnValue, asString: Bool, to writer: inout ByteWriter) {
        switch value {
        case .null: writer.append("null")
        case .boolean(let value): writer.append(value ? "true" : "false")
        case .integer(let value):
            if asString { writer.append(UInt8(ascii: "\"")) }
            writer.append(decimal: value)
            if asString { writer.append(UInt8(ascii: "\"")) }
        case .double(let value): write(double: value, to: &writer)
        case .timestamp(let value):
            writer.append(UInt8(ascii: "\""))
            value.write(to: &writer)
            writer.append(UInt8(ascii: "\""))
        case .uuid(let value):
            writer.append(UInt8(ascii: "\""))
            value.write(to: &writer)
            writer.append(UInt8(ascii: "\""))
        case .text(let bytes): write(string: bytes, to: &writer)
        }
    }

    /// Shortest digits that read back as the same value; a whole number without `.0`, as Postgres prints it. What JSON has no
    /// number for (no record brings it, but somebody may have stored it) is a string, as Postgres's own `to_json` writes it.
    static func write(double: Double, to writer: inout ByteWriter) {
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
        text.withUTF8 { write(string: UnsafeRawBufferPointer($0), to: &writer) }
    }

    /// Escapes only what RFC 8259, section 7, requires, each in its shortest form.
    static func write(string: UnsafeRawBufferPointer, to writer: inout ByteWriter) {
        writer.append(UInt8(ascii: "\""))
        var start = 0
        for index in 0..<string.count {
            let byte = string[index]
            guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
            writer.append(UnsafeRawBufferPointer(rebasing: string[start..<index]))
            start = index + 1
            writer.append(UInt8(ascii: "\\"))
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): writer.append(byte)
            case 0x08: writer.append(UInt8(ascii: "b"))
            case 0x09: writer.append(UInt8(ascii: "t"))
            case 0x0A: writer.append(UInt8(ascii: "n"))
            case 0x0C: writer.append(UInt8(ascii: "f"))
            case 0x0D: writer.append(UInt8(ascii: "r"))
            default:
                writer.append("u00")
                for digit in [byte >> 4, byte & 0xF] {
                    writer.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
                }
            }
        }
        writer.append(UnsafeRawBufferPointer(rebasing: string[start...]))
        writer.append(UInt8(ascii: "\""))
    }
}
