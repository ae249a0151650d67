import Common
import Foundation
import Testing

@Suite("Timestamps")
struct TimestampTests {
    private func canonical(_ text: String) -> String? {
        withBytes(text) { Timestamp(iso: $0) }.map { timestamp in written { timestamp.write(to: &$0) } }
    }

    @Test(
        "ISO 8601 in the forms that devices send becomes RFC 3339 in UTC with six digits",
        arguments: [
            ("2026-11-23T18:26:01Z", "2026-11-23T18:26:01.000000Z"),
            ("2026-11-23 18:26:01", "2026-11-23T18:26:01.000000Z"),
            ("2026-11-23T18:26", "2026-11-23T18:26:00.000000Z"),
            ("2026-11-23T18:26:01.5+02:00", "2026-11-23T16:26:01.500000Z"),
            ("2026-11-23T18:26:01.123456-0330", "2026-11-23T21:56:01.123456Z"),
            ("2026-11-23 18:26:01+02", "2026-11-23T16:26:01.000000Z"),
            ("2026-12-31T23:59:60Z", "2027-01-01T00:00:00.000000Z"),
            ("2026-12-31T24:00:00Z", "2027-01-01T00:00:00.000000Z"),
            ("2026-01-01T00:00:00.9999996Z", "2026-01-01T00:00:01.000000Z"),
            ("2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000000Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"),
            ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
        ])
    func parses(text: String, expected: String) {
        #expect(canonical(text) == expected)
    }

    @Test(
        "What is not a moment is refused",
        arguments: [
            "", "2026", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "1900-02-29T00:00:00Z", "2026-11-23",
            "2026-11-23T25:00:00Z", "2026-11-23T18:60:00Z", "2026-11-23T18:26:01.Z", "2026-11-23T18:26:01Zx",
            "2026-11-23T24:00:01Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00", "2026-11-23T18:26:01+16",
            "10000-01-01T00:00:00Z", "２026-11-23T18:26:01Z",
        ])
    func refuses(text: String) {
        #expect(canonical(text) == nil)
    }

    @Test("A time written as most senders do is read as in any other form", arguments: 0...6)
    func plain(fractionDigits: Int) throws {
        for _ in 0..<2000 {
            let moment = Timestamp(
                microseconds: .random(in: Timestamp.earliest.microseconds...Timestamp.latest.microseconds))
            let text = written { moment.write(to: &$0) }
            let cut = text.prefix(fractionDigits == 0 ? 19 : 20 + fractionDigits)
            // The same with a zone as an offset goes another way.
            #expect(canonical("\(cut)Z") == canonical("\(cut)+00:00") && canonical("\(cut)Z") != nil)
            // So does what has a character of another kind.
            let place = cut.indices.randomElement()!
            var other = String(cut)
            other.replaceSubrange(
                place...place, with: ["0", "9", "-", ":", "T", ".", "/", "é", "\0", "A"].randomElement()!)
            #expect(canonical("\(other)Z") == canonical("\(other)+00:00"))
        }
    }

    @Test("Every day of 1200 years has the same number as in Foundation's calendar")
    func agreesWithFoundation() throws {
        let formatter = ISO8601DateFormatter()
        var date = try #require(formatter.date(from: "1600-01-01T00:00:00Z"))
        for _ in 0..<(1200 * 365) {
            let text = formatter.string(from: date)
            let timestamp = try #require(withBytes(text) { Timestamp(iso: $0) })
            let seconds = Int64(date.timeIntervalSince1970) - Timestamp.postgresEpochSeconds
            try #require(timestamp.microseconds == seconds * 1_000_000, "\(text)")
            let back = written { timestamp.write(to: &$0) }
            try #require(back == text.dropLast() + ".000000Z")
            date += 86_400
        }
    }

    @Test(
        "Of years that Postgres has none of, nothing is read",
        arguments: [
            "1000000-01-01 00:00:00+00", "9223372036854775807-01-01 00:00:00+00", "300000-06-01 00:00:00+00 BC",
        ])
    func beyond(text: String) {
        #expect(withBytes(text) { Timestamp(stored: $0) } == nil)
        #expect(withBytes("294276-12-31 23:59:59+00") { Timestamp(stored: $0) } != nil)
    }

    @Test("A number is seconds below 10¹¹ and milliseconds from there on, exact to the microsecond")
    func unixNumbers() {
        #expect(Timestamp(unixNumber: 0)?.microseconds == -Timestamp.postgresEpochSeconds * 1_000_000)
        #expect(Timestamp(unixNumber: 1_700_000_000) == Timestamp(unixNumber: 1_700_000_000_000))
        #expect(Timestamp(unixNumber: 1_700_000_000.123456) == Timestamp(microseconds: 753_315_200_123_456))
        #expect(Timestamp(unixMilliseconds: 1_700_000_000_123) == Timestamp(microseconds: 753_315_200_123_000))
        #expect(Timestamp(unixNumber: .nan) == nil)
        #expect(Timestamp(unixNumber: 1e300) == nil)
        #expect(Timestamp(unixMilliseconds: .min) == nil)
        #expect(Timestamp(unixMilliseconds: .max) == nil)
    }
}
