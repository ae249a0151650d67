internal import Common

/// Numbers in timestamp columns.
extension ColumnConverter {
    /// Moments that a number may mean without a unit: before 1990 and after 2100 it was more likely another one.
    private static let plausible = moment(years: 1990)...moment(years: 2100)

    private static func moment(years: Int64) -> Timestamp {
        // 25 leap days from 2000 to 2100, since 2100 has none; 3 from 1990 to 2000, which has one after its first day.
        let days = (years - 2000) * 365 + (years > 2000 ? 25 : -2)
        return Timestamp(microseconds: days * 86_400 * Timestamp.microsecondsPerSecond)
    }

    func moment(_ value: Double, exactly: Int64?) throws(RecordRejection) -> Timestamp {
        if let unit = column.unit {
            guard let moment = Self.moment(value, exactly, unit) else {
                throw range("has a number of \(unit.name) beyond the years 1 to 9999")
            }
            return moment
        }
        guard column.coerce else { throw mismatch("a number; a column's unit says what it counts") }
        let guessed = Timestamp(unixNumber: value)
        if let guessed, Self.plausible.contains(guessed) { return guessed }
        let likely = TimestampUnit.allCases.first { unit in
            Self.moment(value, exactly, unit).map { Self.plausible.contains($0) } ?? false
        }
        let number = exactly.map { String($0) } ?? String(value)
        let what = "has the number \(number), which is no time from 1990 to 2100 as seconds or milliseconds; "
        throw range(
            what + (likely.map { "it is likely \($0.name): say \"unit\": \"\($0.rawValue)\"" } ?? "say its unit"))
    }

    private static func moment(_ value: Double, _ exactly: Int64?, _ unit: TimestampUnit) -> Timestamp? {
        exactly.map { Timestamp($0, unit) } ?? Timestamp(value, unit)
    }
}
