internal import Foundation

/// The zone of times that name none: `Europe/Berlin`, `UTC`, `+02:00`. Owned by one thread.
package final class LocalTimeZone {
    private let zone: TimeZone
    /// A day of local time in which the clocks are not changed, and their offset: records of a stream are of about now.
    private var day: Int64 = .min
    private var offset: Int64 = 0

    private static let dayLength: Int64 = 86_400

    /// Nil when there is no such zone.
    package init?(_ name: String) {
        if let seconds = Self.fixedOffset(name), let zone = TimeZone(secondsFromGMT: seconds) {
            self.zone = zone
        } else if let zone = TimeZone(identifier: name), !name.isEmpty {
            self.zone = zone
        } else {
            return nil
        }
    }

    private static func fixedOffset(_ name: String) -> Int? {
        guard name.hasPrefix("+") || name.hasPrefix("-") else { return nil }
        var name = name
        return name.withUTF8 { bytes in
            var scanner = DigitScanner(UnsafeRawBufferPointer(bytes))
            guard let offset = scanner.zoneOffset(), scanner.isAtEnd else { return nil }
            return offset
        }
    }

    /// The moment at which clocks of the zone show a time, given as if it were UTC. What they show twice, when they are put
    /// back, is the later one; what they never show, when they are put forward, counts as before: both as Postgres does.
    package func moment(showing local: Timestamp) -> Timestamp? {
        let seconds = local.microseconds.quotient(Timestamp.microsecondsPerSecond) + Timestamp.postgresEpochSeconds
        let number = seconds.quotient(Self.dayLength)
        if number != day {
            let start = number * Self.dayLength
            let (before, after) = (offset(at: start - Self.dayLength), offset(at: start + 2 * Self.dayLength))
            guard before == after else {
                return Timestamp(moving: local, bySeconds: -changing(seconds))
            }
            (day, offset) = (number, before)
        }
        return Timestamp(moving: local, bySeconds: -offset)
    }

    /// The offset near a change of the clocks.
    private func changing(_ local: Int64) -> Int64 {
        let (before, after) = (offset(at: local - Self.dayLength), offset(at: local + Self.dayLength))
        let isBefore = offset(at: local - before) == before
        let isAfter = offset(at: local - after) == after
        return isAfter && (before > after || !isBefore) ? after : before
    }

    /// - Parameter moment: seconds since 1970.
    private func offset(at moment: Int64) -> Int64 {
        Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(moment))))
    }
}

extension Int64 {
    /// Rounded down, also below zero.
    fileprivate func quotient(_ divisor: Int64) -> Int64 {
        let (whole, rest) = quotientAndRemainder(dividingBy: divisor)
        return rest < 0 ? whole - 1 : whole
    }
}
