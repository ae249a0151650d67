extension Timestamp {
    /// `YYYY-MM-DDTHH:MM:SS[.f]Z` with one to six digits of a fraction, as most senders write times: read by words. Nil for all
    /// else, also for what is another form of a moment.
    static func read(plain text: UnsafeRawBufferPointer) -> Timestamp? {
        let zone = UInt8(ascii: "Z")
        guard (20...27).contains(text.count), text[text.count - 1] == zone,
            let date = digits(of: text.loadUnaligned(as: UInt64.self).littleEndian, like: "0000-00-"),
            let time = digits(
                of: text.loadUnaligned(fromByteOffset: 8, as: UInt64.self).littleEndian, like: "00T00:00"),
            let seconds = digits(
                of: text.loadUnaligned(fromByteOffset: 12, as: UInt64.self).littleEndian, like: "0:00:00?")
        else { return nil }
        let year = 100 * number(date, 0) + number(date, 2)
        let (month, day) = (number(date, 5), number(time, 0))
        let (hour, minute, second) = (number(time, 3), number(time, 6), number(seconds, 5))
        guard year >= 1, (1...12).contains(month), (1...days(in: month, of: year)).contains(day), hour < 24,
            minute < 60,
            second < 60
        else { return nil }
        var micros = 0
        if text.count > 20 {
            guard text.count > 21, text[19] == UInt8(ascii: ".") else { return nil }
            var unit = 100_000
            for index in 20..<(text.count - 1) {
                let digit = Int(text[index] ^ UInt8(ascii: "0"))
                guard digit < 10 else { return nil }
                micros += digit * unit
                unit /= 10
            }
        }
        let whole = daysFromEpoch(year: year, month: month, day: day) * 86_400
        return Timestamp(microseconds: (whole + Int64(hour * 3600 + minute * 60 + second)) * 1_000_000 + Int64(micros))
    }

    /// Eight bytes as the values of their digits, where they are like a pattern: digits where it has a 0, any ASCII where it
    /// has a ?, else its characters.
    @inline(__always) private static func digits(of bytes: UInt64, like pattern: StaticString) -> UInt64? {
        var (expected, limits): (UInt64, UInt64) = (0, 0)
        for index in 0..<8 {
            let character = pattern.utf8Start[index]
            // What a byte's difference may be at most, up to 0x7F.
            let limit: UInt8 = character == UInt8(ascii: "0") ? 9 : character == UInt8(ascii: "?") ? 0x7F : 0
            expected |= UInt64(character) << (8 * index)
            limits |= UInt64(0x7F - limit) << (8 * index)
        }
        let found = bytes ^ expected
        // A difference beyond its limit reaches the highest bit of its byte.
        let highBits: UInt64 = 0x8080_8080_8080_8080
        return ((found & ~highBits) &+ limits | found) & highBits == 0 ? found : nil
    }

    /// Of two digits.
    @inline(__always) private static func number(_ digits: UInt64, _ place: Int) -> Int {
        let tens = Int(truncatingIfNeeded: digits >> UInt64(8 * place) & 0xFF)
        return tens * 10 + Int(truncatingIfNeeded: digits >> UInt64(8 * place + 8) & 0xFF)
    }
}
