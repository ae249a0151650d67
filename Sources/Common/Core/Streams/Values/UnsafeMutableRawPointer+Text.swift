/// Text at a place that has room for it; each call moves the place behind what it wrote. For rows as they are committed, of
/// which every value passes here.
extension UnsafeMutableRawPointer {
    /// The digits of an `Int64`, with its sign.
    static let decimalByteLimit = 20

    @inline(__always) mutating func put(_ byte: UInt8) {
        storeBytes(of: byte, as: UInt8.self)
        self += 1
    }

    @inline(__always) mutating func put<Integer: FixedWidthInteger>(littleEndian value: Integer) {
        storeBytes(of: value.littleEndian, as: Integer.self)
        self += MemoryLayout<Integer>.size
    }

    @inline(__always) mutating func put(_ word: StaticString) {
        copyMemory(from: word.utf8Start, byteCount: word.utf8CodeUnitCount)
        self += word.utf8CodeUnitCount
    }

    /// Copied eight bytes at a time: up to seven more are read, and written.
    @inline(__always) mutating func put(wordsOf bytes: UnsafeRawPointer, count: Int) {
        var index = 0
        repeat {
            storeBytes(
                of: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self), toByteOffset: index, as: UInt64.self)
            index += 8
        } while index < count
        self += count
    }

    /// Two decimal digits of a number below 100.
    @inline(__always) mutating func put(twoDigits value: Int) {
        // A tenth, exact as far as 178.
        let tens = UInt16(truncatingIfNeeded: (value &* 103) &>> 10)
        let ones = UInt16(truncatingIfNeeded: value) &- tens &* 10
        storeBytes(of: (0x3030 | tens | ones &<< 8).littleEndian, as: UInt16.self)
        self += 2
    }

    /// In decimal.
    mutating func put(decimal value: Int64) {
        if value < 0 { put(UInt8(ascii: "-")) }
        var rest = value.magnitude
        var count = 1
        var limit: UInt64 = 10
        // A 20th digit would need a limit that does not fit; an Int64 has 19.
        while rest >= limit, count < 19 {
            limit &*= 10
            count += 1
        }
        for place in stride(from: count - 1, through: 0, by: -1) {
            storeBytes(
                of: UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10), toByteOffset: place, as: UInt8.self)
            rest /= 10
        }
        self += count
    }

    /// The shortest digits that read back as the same value, of a number of at most 15 digits, 7 of them behind the point, as
    /// senders write nearly all: a position to the centimetre. False, with nothing written, for any other.
    ///
    /// Of the decimals of up to 15 digits no two have the same nearest double (DBL_DIG), so the one that gives this double is
    /// the shortest; and a quotient of numbers below 2⁵³ is rounded to the nearest double (IEEE 754, 5.4.1), so an equal one is
    /// proof.
    mutating func put(decimal value: Double) -> Bool {
        let scale = 10_000_000
        let magnitude = value.magnitude
        guard magnitude >= 1e-3, magnitude < 99_999_999 else { return false }
        let scaled = Int(magnitude * Double(scale) + 0.5)
        guard Double(scaled) / Double(scale) == magnitude else { return false }
        let (whole, fraction) = scaled.quotientAndRemainder(dividingBy: scale)
        if value < 0 { put(UInt8(ascii: "-")) }
        put(decimal: Int64(whole))
        guard fraction != 0 else { return true }
        put(UInt8(ascii: "."))
        put(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: fraction / 1_000_000))
        put(twoDigits: fraction / 10_000 % 100)
        put(twoDigits: fraction / 100 % 100)
        put(twoDigits: fraction % 100)
        while (self - 1).load(as: UInt8.self) == UInt8(ascii: "0") { self -= 1 }
        return true
    }
}
