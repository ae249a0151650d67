/// Eight hexadecimal digits at once, as bytes of one word: the first digit is the lowest byte.
enum HexDigits {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let nibbles: UInt64 = 0x0F0F_0F0F_0F0F_0F0F
    private static let highBits: UInt64 = 0x8080_8080_8080_8080

    /// Of either case; nil when some byte is no digit.
    static func value(of text: UInt64) -> UInt64? {
        // A byte below 0x80 is within a range when neither difference borrows; the highest bit of each byte tells.
        func within(_ bytes: UInt64, _ low: UInt8, _ high: UInt8) -> UInt64 {
            (bytes &+ ones &* UInt64(0x80 - low)) & (ones &* UInt64(0x80 + high) &- bytes)
        }
        guard text & highBits == 0 else { return nil }
        let isDigit = within(text, UInt8(ascii: "0"), UInt8(ascii: "9"))
        let lowerCase = text | ones &* 0x20
        let isLetter = within(lowerCase, UInt8(ascii: "a"), UInt8(ascii: "f"))
        guard (isDigit | isLetter) & highBits == highBits else { return nil }
        // Letters have bit 6, and their low four bits begin at 1.
        var value = ((text & nibbles) &+ 9 &* ((text >> 6) & ones)).byteSwapped
        value = (value | value >> 4) & 0x00FF_00FF_00FF_00FF
        value = (value | value >> 8) & 0x0000_FFFF_0000_FFFF
        return (value | value >> 16) & 0xFFFF_FFFF
    }

    /// Lower case.
    static func text(of value: UInt32) -> UInt64 {
        var digits = UInt64(value)
        digits = (digits | digits << 16) & 0x0000_FFFF_0000_FFFF
        digits = (digits | digits << 8) & 0x00FF_00FF_00FF_00FF
        digits = (digits | digits << 4) & nibbles
        digits = digits.byteSwapped
        // 6 more than a letter's value reaches bit 4.
        let isLetter = ((digits &+ ones &* 6) >> 4) & ones
        return digits &+ ones &* UInt64(UInt8(ascii: "0")) &+ isLetter
            &* UInt64(UInt8(ascii: "a") - UInt8(ascii: "0") - 10)
    }
}
