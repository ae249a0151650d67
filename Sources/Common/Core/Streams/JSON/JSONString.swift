/// Texts as JSON strings. Escapes only what RFC 8259, section 7, requires, each in its shortest form.
enum JSONString {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let quote = UInt8(ascii: "\"")
    private static let backslash = UInt8(ascii: "\\")

    static func write(_ text: UnsafeRawBufferPointer, to writer: inout ByteWriter) {
        writer.append(quote)
        var start = 0
        for index in 0..<text.count where needsEscape(text[index]) {
            writer.append(UnsafeRawBufferPointer(rebasing: text[start..<index]))
            write(escaped: text[index], to: &writer)
            start = index + 1
        }
        writer.append(UnsafeRawBufferPointer(rebasing: text[start...]))
        writer.append(quote)
    }

    private static func write(escaped byte: UInt8, to writer: inout ByteWriter) {
        writer.append(backslash)
        switch byte {
        case quote, backslash: writer.append(byte)
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

    /// Copies a text without its quotes, eight bytes at a time. False, with the place where it was, when some byte needs an
    /// escape.
    @inline(__always) static func put(_ text: UnsafeRawBufferPointer, at place: inout UnsafeMutableRawPointer) -> Bool {
        func copy<Word: FixedWidthInteger & UnsignedInteger>(_ index: Int, as: Word.Type) -> Bool {
            let word = text.loadUnaligned(fromByteOffset: index, as: Word.self)
            place.storeBytes(of: word, toByteOffset: index, as: Word.self)
            return !needsEscape(UInt64(word) | (Word.bitWidth < 64 ? plainHalf : 0))
        }
        var index = 0
        while index + 8 <= text.count {
            guard copy(index, as: UInt64.self) else { return false }
            index += 8
        }
        // The rest with some of the bytes before it once more, where there are as many.
        switch text.count {
        case 8...: guard copy(text.count - 8, as: UInt64.self) else { return false }
        case 4...: guard copy(0, as: UInt32.self), copy(text.count - 4, as: UInt32.self) else { return false }
        default:
            for index in 0..<text.count {
                guard !needsEscape(text[index]) else { return false }
                place.storeBytes(of: text[index], toByteOffset: index, as: UInt8.self)
            }
        }
        place += text.count
        return true
    }

    /// Bytes that need no escape, beside four that are asked about.
    private static let plainHalf: UInt64 = 0x2020_2020_0000_0000

    @inline(__always) private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == quote || byte == backslash
    }

    /// Whether one of eight bytes does.
    @inline(__always) private static func needsEscape(_ bytes: UInt64) -> Bool {
        // The highest bit of a byte that is below the limit; of others too, but only if there is one.
        func below(_ bytes: UInt64, _ limit: UInt64) -> UInt64 { (bytes &- ones &* limit) & ~bytes }
        let quotes = below(bytes ^ (ones &* UInt64(quote)), 1)
        let backslashes = below(bytes ^ (ones &* UInt64(backslash)), 1)
        return (below(bytes, 0x20) | quotes | backslashes) & (ones &* 0x80) != 0
    }
}
