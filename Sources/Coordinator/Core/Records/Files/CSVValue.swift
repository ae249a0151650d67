internal import Common

/// The JSON value of a field of text, as its column would like it. What doesn't fit stays a string: the worker's verdict
/// on it is the one that counts.
enum CSVValue {
    static func write(
        _ bytes: UnsafeRawBufferPointer, isQuoted: Bool, as column: Column, to writer: inout ByteWriter
    ) {
        if column.type == .text {
            guard !bytes.isEmpty || isQuoted else { return writer.append("null") }
            return CanonicalJSON.write(.text(bytes), asString: false, to: &writer)
        }
        let text = trimmed(bytes)
        guard !text.isEmpty else { return writer.append("null") }
        switch column.type {
        case .integer, .bigint, .double:
            if isNumber(text) { return writer.append(text) }
        case .timestamp:
            if column.coerce, isNumber(text) { return writer.append(text) }
        case .boolean:
            if let value = boolean(text) { return writer.append(value ? "true" : "false") }
        case .text, .uuid: break
        }
        CanonicalJSON.write(.text(text), asString: false, to: &writer)
    }

    private static func trimmed(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        guard let first = bytes.firstIndex(where: { !isSpace($0) }), let last = bytes.lastIndex(where: { !isSpace($0) })
        else { return UnsafeRawBufferPointer(rebasing: bytes[..<0]) }
        return UnsafeRawBufferPointer(rebasing: bytes[first...last])
    }

    private static func boolean(_ bytes: UnsafeRawBufferPointer) -> Bool? {
        switch String(decoding: bytes, as: UTF8.self).lowercased() {
        case "true", "t", "1": true
        case "false", "f", "0": false
        default: nil
        }
    }

    /// RFC 8259, section 6.
    private static func isNumber(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var place = 0
        func skip(_ wanted: UInt8) -> Bool {
            guard place < bytes.count, bytes[place] == wanted else { return false }
            place += 1
            return true
        }
        func digits() -> Int {
            let start = place
            while place < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[place]) { place += 1 }
            return place - start
        }
        _ = skip(UInt8(ascii: "-"))
        if !skip(UInt8(ascii: "0")) { guard digits() > 0 else { return false } }
        if skip(UInt8(ascii: ".")) { guard digits() > 0 else { return false } }
        if skip(UInt8(ascii: "e")) || skip(UInt8(ascii: "E")) {
            if !skip(UInt8(ascii: "+")) { _ = skip(UInt8(ascii: "-")) }
            guard digits() > 0 else { return false }
        }
        return place == bytes.count
    }
}
