/// A moment as Postgres stores timestamptz: microseconds since 2000-01-01 00:00:00 UTC.
///
/// Limited to the years 1 to 9999, which RFC 3339 can write.
package struct Timestamp: Hashable, Comparable, Sendable {
    package let microseconds: Int64

    /// 2000-01-01 in seconds since 1970.
    package static let postgresEpochSeconds: Int64 = 946_684_800
    package static let microsecondsPerSecond: Int64 = 1_000_000
    package static let earliest = Timestamp(microseconds: -63_082_281_600_000_000)
    package static let latest = Timestamp(microseconds: 252_455_615_999_999_999)

    package init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    /// - Parameter milliseconds: since 1970, as Kafka's record timestamps.
    package init?(unixMilliseconds milliseconds: Int64) {
        let (shifted, below) = milliseconds.subtractingReportingOverflow(Self.postgresEpochSeconds * 1000)
        let (scaled, above) = shifted.multipliedReportingOverflow(by: 1000)
        guard !below, !above else { return nil }
        self.init(bounded: scaled)
    }

    /// Seconds or milliseconds since 1970: a magnitude of 10¹¹ and more is milliseconds, since 10¹¹
    /// seconds lie past the year 5000 and 10¹¹ milliseconds in 1973.
    package init?(unixNumber number: Double) {
        guard number.isFinite, number.magnitude < 1e15 else { return nil }
        self.init(number, number.magnitude >= 1e11 ? .milliseconds : .seconds)
    }

    /// A number of units since 1970, to the microsecond.
    package init?(_ number: Double, _ unit: TimestampUnit) {
        guard number.isFinite else { return nil }
        let seconds: Double
        switch unit {
        case .days: seconds = number * 86_400
        case .seconds: seconds = number
        case .milliseconds: seconds = number / 1000
        case .microseconds, .nanoseconds:
            let micros = (unit == .microseconds ? number : number / 1000).rounded()
            guard micros.magnitude < 9e17 else { return nil }
            self.init(unixMicroseconds: Int64(micros))
            return
        }
        guard seconds.magnitude < 1e12 else { return nil }
        // Split first: a Double of seconds times 10⁶ has lost its last digits.
        let whole = seconds.rounded(.down)
        let fraction = ((seconds - whole) * 1e6).rounded()
        self.init(bounded: (Int64(whole) - Self.postgresEpochSeconds) * 1_000_000 + Int64(fraction))
    }

    /// The same, of a number that a Double may not hold exactly.
    package init?(_ number: Int64, _ unit: TimestampUnit) {
        switch unit {
        case .microseconds: self.init(unixMicroseconds: number)
        case .nanoseconds: self.init(unixMicroseconds: number / 1000 - (number % 1000 < 0 ? 1 : 0))
        case .days, .seconds, .milliseconds: self.init(Double(number), unit)
        }
    }

    private init?(unixMicroseconds number: Int64) {
        let (shifted, below) = number.subtractingReportingOverflow(
            Self.postgresEpochSeconds * Self.microsecondsPerSecond)
        guard !below else { return nil }
        self.init(bounded: shifted)
    }

    /// Nil beyond the years 1 to 9999.
    package init?(moving moment: Timestamp, bySeconds seconds: Int64) {
        self.init(bounded: moment.microseconds + seconds * Self.microsecondsPerSecond)
    }

    private init?(bounded microseconds: Int64) {
        self.init(microseconds: microseconds)
        guard Self.earliest <= self, self <= Self.latest else { return nil }
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.microseconds < right.microseconds
    }

    /// `YYYY-MM-DD` + `T` or space + `HH:MM[:SS[.fraction]]` + `Z`, `±HH`, `±HHMM`, `±HH:MM` or nothing
    /// (UTC). More than six digits of a fraction are rounded, as Postgres does. Nil for anything else.
    package init?(iso text: UnsafeRawBufferPointer) {
        guard let (moment, _) = Self.read(iso: text) else { return nil }
        self = moment
    }

    /// Reads the same texts; where one names no zone, its time is `zone`'s.
    package init?(iso text: UnsafeRawBufferPointer, orIn zone: LocalTimeZone) {
        guard let (moment, hasZone) = Self.read(iso: text) else { return nil }
        guard let own = hasZone ? moment : zone.moment(showing: moment) else { return nil }
        self = own
    }

    /// What Postgres prints in a session of ours, also beyond the years that a record may have: `0044-03-15 00:00:00+00 BC`,
    /// `12026-01-01 00:00:00+00`, `infinity`.
    package init?(stored text: UnsafeRawBufferPointer) {
        if let moment = Self.read(iso: text)?.moment {
            self = moment
            return
        }
        var words = String(decoding: text, as: UTF8.self)
        switch words {
        case "infinity": self.init(microseconds: .max)
        case "-infinity": self.init(microseconds: .min)
        default:
            let isBeforeChrist = words.hasSuffix(" BC")
            if isBeforeChrist { words.removeLast(3) }
            guard let dash = words.firstIndex(of: "-"), let written = Int64(words[..<dash]), written > 0 else {
                return nil
            }
            // The calendar repeats itself every 400 years: read in a year that has the same days, and moved.
            let year = isBeforeChrist ? 1 - written : written
            let alike = 2000 + ((year % 400) + 400) % 400
            var text = "\(alike)\(words[dash...])"
            guard let moment = text.withUTF8({ Self.read(iso: UnsafeRawBufferPointer($0))?.moment }) else { return nil }
            let cycles = (year - alike) / 400
            let (moved, isTooMuch) = cycles.multipliedReportingOverflow(
                by: 146_097 * 86_400 * Self.microsecondsPerSecond)
            let (sum, isBeyond) = moment.microseconds.addingReportingOverflow(moved)
            guard !isTooMuch, !isBeyond else { return nil }
            self.init(microseconds: sum)
        }
    }

    private static func read(iso text: UnsafeRawBufferPointer) -> (moment: Timestamp, hasZone: Bool)? {
        if let moment = read(plain: text) { return (moment, true) }
        var scanner = DigitScanner(text)
        guard let year = scanner.digits(4), year >= 1, scanner.skip("-"),
            let month = scanner.digits(2), (1...12).contains(month), scanner.skip("-"),
            let day = scanner.digits(2), (1...Self.days(in: month, of: year)).contains(day),
            scanner.skip("T") || scanner.skip("t") || scanner.skip(" "),
            let hour = scanner.digits(2), hour <= 24, scanner.skip(":"),
            let minute = scanner.digits(2), minute <= 59
        else { return nil }
        var second = 0
        var micros = 0
        if scanner.skip(":") {
            // 60 is a leap second; Postgres takes it as the next minute's first.
            guard let value = scanner.digits(2), value <= 60 else { return nil }
            second = value
            if scanner.skip(".") || scanner.skip(",") {
                guard let value = scanner.fraction() else { return nil }
                micros = value
            }
        }
        guard hour < 24 || (minute == 0 && second == 0 && micros == 0) else { return nil }
        _ = scanner.skip(" ")
        let hasZone = !scanner.isAtEnd
        guard let offset = scanner.zoneOffset(), scanner.isAtEnd else { return nil }
        let days = Self.daysFromEpoch(year: year, month: month, day: day)
        let seconds = days * 86_400 + Int64(hour * 3600 + minute * 60 + second - offset)
        return Timestamp(bounded: seconds * 1_000_000 + Int64(micros)).map { ($0, hasZone) }
    }

    /// RFC 3339, UTC, six digits, `Z`. What only Postgres can hold is written as ECMAScript's expanded years
    /// (`-000043-03-15T…`, `+012026-…`), and its infinities in its own words.
    package func write(to writer: inout ByteWriter) {
        guard isWithinYears else { return writeBeyond(to: &writer) }
        var place = writer.room(for: Self.textByteCount)
        put(at: &place)
        writer.advance(to: place)
    }

    /// Of a moment that RFC 3339 can write.
    static let textByteCount = "2000-01-01T00:00:00.000000Z".utf8.count

    var isWithinYears: Bool { Self.earliest <= self && self <= Self.latest }

    /// Writes the text of a moment that RFC 3339 can write.
    func put(at place: inout UnsafeMutableRawPointer) { put(yearWidth: 4, at: &place) }

    private func writeBeyond(to writer: inout ByteWriter) {
        guard microseconds != .max, microseconds != .min else {
            return writer.append(microseconds > 0 ? "infinity" : "-infinity")
        }
        writer.append(UInt8(ascii: self > Self.latest ? "+" : "-"))
        var place = writer.room(for: Self.textByteCount + 2)
        put(yearWidth: 6, at: &place)
        writer.advance(to: place)
    }

    private func put(yearWidth: Int, at place: inout UnsafeMutableRawPointer) {
        var days = microseconds / 86_400_000_000
        var rest = Int(microseconds % 86_400_000_000)
        if rest < 0 {
            rest += 86_400_000_000
            days -= 1
        }
        let date = Self.date(daysFromEpoch: days)
        let year = abs(date.year)
        let (seconds, fraction) = (rest / 1_000_000, rest % 1_000_000)
        if yearWidth == 6 { place.put(twoDigits: year / 10_000) }
        place.put(twoDigits: year / 100 % 100)
        place.put(twoDigits: year % 100)
        place.put(UInt8(ascii: "-"))
        place.put(twoDigits: date.month)
        place.put(UInt8(ascii: "-"))
        place.put(twoDigits: date.day)
        place.put(UInt8(ascii: "T"))
        place.put(twoDigits: seconds / 3600)
        place.put(UInt8(ascii: ":"))
        place.put(twoDigits: seconds / 60 % 60)
        place.put(UInt8(ascii: ":"))
        place.put(twoDigits: seconds % 60)
        place.put(UInt8(ascii: "."))
        place.put(twoDigits: fraction / 10_000)
        place.put(twoDigits: fraction / 100 % 100)
        place.put(twoDigits: fraction % 100)
        place.put(UInt8(ascii: "Z"))
    }

    private static func isLeap(_ year: Int) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days from 2000-01-01 in the proleptic Gregorian calendar. Years are counted from March, so that
    /// the leap day comes last (Howard Hinnant, "chrono-compatible low-level date algorithms").
    static func daysFromEpoch(year: Int, month: Int, day: Int) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return Int64(era * 146_097 + dayOfEra - 730_425)
    }

    private static func date(daysFromEpoch days: Int64) -> (year: Int, month: Int, day: Int) {
        let shifted = Int(days) + 730_425
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }
}
