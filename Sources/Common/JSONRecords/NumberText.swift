/// A decimal number in a string: digits with a sign, a point and an exponent where it has them; no hexadecimal.
struct NumberText {
    /// Infinite where it is beyond a double, or says so in a word.
    let value: Double
    /// Where it is written as an integer that 64 bits hold.
    let integer: Int64?

    /// Nil for what is no number.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count <= 64, let first = bytes.first else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        let isNumber = bytes.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "e"), UInt8(ascii: "E"):
                true
            default: false
            }
        }
        // Words that Swift reads as numbers: told as such, not as text that has no meaning.
        let word = first == UInt8(ascii: "+") || first == UInt8(ascii: "-") ? text.dropFirst() : text[...]
        guard isNumber || ["nan", "inf", "infinity"].contains(word.lowercased()), let value = Double(text) else {
            return nil
        }
        self.value = value
        integer = Int64(text)
    }
}
