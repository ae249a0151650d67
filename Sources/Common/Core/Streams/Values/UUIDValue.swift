/// The 16 bytes of a UUID (RFC 9562), without Foundation's cost of parsing on the hot path.
package struct UUIDValue: Hashable, Sendable {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    package static func random() -> UUIDValue {
        var random = SystemRandomNumberGenerator()
        return .random(using: &random)
    }

    package static func random(using random: inout some RandomNumberGenerator) -> UUIDValue {
        var (high, low) = (random.next(), random.next())
        high = high & 0xFFFF_FFFF_FFFF_0FFF | 0x4000  // version 4
        low = low & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000  // variant 10
        return UUIDValue(high: high, low: low)
    }

    /// `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`, either case; nil for anything else.
    package init?(_ text: UnsafeRawBufferPointer) {
        let dash = UInt8(ascii: "-")
        guard text.count == 36, text[8] == dash, text[13] == dash, text[18] == dash, text[23] == dash else {
            return nil
        }
        func digits(_ first: Int, _ second: Int) -> UInt64? {
            HexDigits.value(
                of: UInt64(text.loadUnaligned(fromByteOffset: first, as: UInt32.self).littleEndian)
                    | UInt64(text.loadUnaligned(fromByteOffset: second, as: UInt32.self).littleEndian) << 32)
        }
        guard let first = digits(0, 4), let second = digits(9, 14), let third = digits(19, 24),
            let fourth = digits(28, 32)
        else { return nil }
        high = first << 32 | second
        low = third << 32 | fourth
    }

    /// Lower case, as Postgres prints it.
    package func write(to writer: inout ByteWriter) {
        var place = writer.room(for: 36)
        put(at: &place)
        writer.advance(to: place)
    }

    /// Writes the 36 bytes of its text.
    func put(at place: inout UnsafeMutableRawPointer) {
        let start = place
        func put(_ digits: UInt64, _ first: Int, _ second: Int) {
            start.storeBytes(of: UInt32(truncatingIfNeeded: digits).littleEndian, toByteOffset: first, as: UInt32.self)
            start.storeBytes(
                of: UInt32(truncatingIfNeeded: digits >> 32).littleEndian, toByteOffset: second, as: UInt32.self)
        }
        put(HexDigits.text(of: UInt32(truncatingIfNeeded: high >> 32)), 0, 4)
        put(HexDigits.text(of: UInt32(truncatingIfNeeded: high)), 9, 14)
        put(HexDigits.text(of: UInt32(truncatingIfNeeded: low >> 32)), 19, 24)
        put(HexDigits.text(of: UInt32(truncatingIfNeeded: low)), 28, 32)
        for dash in [8, 13, 18, 23] { start.storeBytes(of: UInt8(ascii: "-"), toByteOffset: dash, as: UInt8.self) }
        place += 36
    }
}

extension UUIDValue: CustomStringConvertible {
    package var description: String {
        var writer = ByteWriter(capacity: 36)
        write(to: &writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}

extension UUIDValue: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        var text = try container.decode(String.self)
        guard let value = text.withUTF8({ UUIDValue(UnsafeRawBufferPointer($0)) }) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a UUID")
        }
        self = value
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
