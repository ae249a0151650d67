/// Reads the fixed-width digits of a timestamp out of bytes, without making a String.
struct DigitScanner {
    private let text: UnsafeRawBufferPointer
    private var index = 0

    init(_ text: UnsafeRawBufferPointer) {
        self.text = text
    }

    var isAtEnd: Bool { index == text.count }

    private var next: UInt8? { index < text.count ? text[index] : nil }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    private mutating func digit() -> Int? {
        guard let byte = next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
        index += 1
        return Int(byte - UInt8(ascii: "0"))
    }

    mutating func digits(_ count: Int) -> Int? {
        var value = 0
        for _ in 0..<count {
            guard let digit = digit() else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    /// One or more digits behind a decimal point, in microseconds, rounded half up at the seventh.
    mutating func fraction() -> Int? {
        guard var value = digit() else { return nil }
        var count = 1
        var roundsUp = false
        while let digit = digit() {
            if count < 6 { value = value * 10 + digit } else if count == 6 { roundsUp = digit >= 5 }
            count += 1
        }
        while count < 6 {
            value *= 10
            count += 1
        }
        return roundsUp ? value + 1 : value
    }

    /// Seconds east of UTC; zero where there is no zone.
    mutating func zoneOffset() -> Int? {
        if isAtEnd || skip("Z") || skip("z") { return 0 }
        let sign: Int
        if skip("+") { sign = 1 } else if skip("-") { sign = -1 } else { return nil }
        guard let hours = digits(2), hours <= 15 else { return nil }
        if isAtEnd { return sign * hours * 3600 }
        _ = skip(":")
        guard let minutes = digits(2), minutes <= 59 else { return nil }
        return sign * (hours * 3600 + minutes * 60)
    }
}
