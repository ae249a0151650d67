/// Bytes written as pairs of hexadecimal digits, as Postgres prints a bytea (after its `\x`).
package struct HexBytes {
    package let bytes: [UInt8]

    package init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Nil for anything but pairs of digits.
    package init?(_ text: String) {
        var text = text
        guard let parsed = text.withUTF8({ HexBytes(UnsafeRawBufferPointer($0)) }) else { return nil }
        self = parsed
    }

    package init?(_ text: UnsafeRawBufferPointer) {
        let start = text.starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "x")]) ? 2 : 0
        guard (text.count - start) % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity((text.count - start) / 2)
        for index in stride(from: start, to: text.count, by: 2) {
            guard let high = Self.value(text[index]), let low = Self.value(text[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        self.bytes = bytes
    }

    private static let digits = Array("0123456789abcdef".utf8)

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    package func write(to writer: inout ByteWriter) {
        for byte in bytes {
            writer.append(Self.digits[Int(byte >> 4)])
            writer.append(Self.digits[Int(byte & 15)])
        }
    }
}
