import Common
import JSONRecords
import Testing

@Suite("Options of columns")
struct ColumnOptionTests {
    @Test(
        "coerce takes numbers and booleans in strings, and text of both; no hexadecimal",
        arguments: [
            (.integer, #""31""#, "31"), (.integer, #""0x1f""#, nil), (.double, #""0x1p3""#, nil),
            (.integer, #""1e2""#, "100"), (.integer, #"" 5""#, nil), (.integer, #""5.5""#, nil),
            (.bigint, #""9007199254740991""#, "9007199254740991"),
            (.double, #""1_000""#, nil), (.double, #""1,5""#, nil), (.double, #""""#, nil),
            (.text, "5", #""5""#), (.text, "0.10", #""0.1""#), (.text, "true", #""true""#),
            (.text, "9007199254740993", #""9007199254740993""#), (.text, "{}", nil), (.text, "null", "null"),
            (.boolean, #""TRUE""#, "true"), (.boolean, #""f""#, "false"), (.boolean, #""off""#, "false"),
            (.boolean, "1", "true"), (.boolean, "0", "false"), (.boolean, "2", nil), (.boolean, #""maybe""#, nil),
        ] as [(ColumnType, String, String?)])
    func coerce(type: ColumnType, value: String, expected: String?) {
        let decoded = DecodedRecord(#"{"v":\#(value)}"#, [Column("v", type, coerce: true)])
        if let expected {
            #expect(decoded == .row(#"{"v":\#(expected)}"#))
        } else {
            #expect(decoded.code == .wrongType)
        }
    }

    @Test("Without coerce a value of another type is refused, and the reason names the option")
    func strict() {
        for (type, value) in [(ColumnType.text, "5"), (.text, "true"), (.boolean, #""true""#), (.boolean, "1")] {
            #expect(DecodedRecord(#"{"v":\#(value)}"#, [Column("v", type)]).code == .wrongType)
        }
        #expect(DecodedRecord(#"{"v":"5"}"#, [Column("v", .integer)]).reason.contains("coerce"))
    }

    @Test("Two texts made of numbers in one record are two texts, and max_length holds for them")
    func texts() {
        let columns = [Column("a", .text, coerce: true), Column("b", .text, maxLength: 2, coerce: true)]
        #expect(DecodedRecord(#"{"a":12345,"b":67}"#, columns) == .row(#"{"a":"12345","b":"67"}"#))
        #expect(DecodedRecord(#"{"a":12345,"b":678}"#, columns).code == .tooLong)
    }

    @Test("A default stands for what is missing or null, required or not")
    func defaults() {
        let columns = [
            Column("t", .text, required: true, defaultValue: .text("none")),
            Column("n", .integer, defaultValue: .integer(-1)), Column("d", .double, defaultValue: .integer(2)),
            Column("b", .boolean, defaultValue: .boolean(true)),
            Column("at", .timestamp, defaultValue: .text("2026-01-01T01:00:00"), timezone: "Europe/Berlin"),
            Column("id", .uuid, defaultValue: .text("00000000-0000-4000-8000-000000000001")),
        ]
        let expected =
            #"{"t":"none","n":-1,"d":2,"b":true,"at":"2026-01-01T00:00:00.000000Z","id":"00000000-0000-4000-8000-000000000001"}"#
        #expect(DecodedRecord("{}", columns) == .row(expected))
        #expect(DecodedRecord(#"{"t":null,"n":null,"id":null}"#, columns) == .row(expected))
        #expect(DecodedRecord(#"{"t":"x","n":"x"}"#, columns).code == .wrongType)
    }

    @Test(
        "A default that is no value of its column is a mistake of the definition",
        arguments: [
            Column("c", .text, defaultValue: .integer(1)), Column("c", .text, maxLength: 2, defaultValue: .text("abc")),
            Column("c", .integer, defaultValue: .integer(3_000_000_000)),
            Column("c", .integer, min: 0, defaultValue: .integer(-1)),
            Column("c", .integer, defaultValue: .number(1.5)),
            Column("c", .uuid, defaultValue: .text("x")), Column("c", .timestamp, defaultValue: .text("now")),
            Column("c", .boolean, defaultValue: .text("true")), Column("c", .text, timezone: "UTC"),
            Column("c", .timestamp, timezone: "Europe/Nowhere"), Column("c", .integer, unit: .seconds),
            Column("c", .uuid, coerce: true), Column("c", .bigint, binary: true),
            Column("c", .text, from: .key, binary: true),
        ])
    func mistakes(column: Column) {
        let stream = StreamDefinition(name: "s", topics: ["s"], mode: .append, columns: [column])
        let problems = StreamValidation([stream]).problems
        #expect(problems.count == 1 && problems[0].contains("'c'"), "\(problems)")
    }

    @Test(
        "A time without a zone is of the column's; clocks that are changed count as in Postgres",
        arguments: [
            ("UTC", "2026-07-01T12:00:00", "2026-07-01T12:00:00"),
            ("+02:00", "2026-01-01T12:00:00", "2026-01-01T10:00:00"),
            ("-0330", "2026-01-01T12:00:00", "2026-01-01T15:30:00"),
            ("Europe/Berlin", "2026-01-01 12:00:00", "2026-01-01T11:00:00"),
            ("Europe/Berlin", "2026-07-01 12:00:00", "2026-07-01T10:00:00"),
            ("Europe/Berlin", "2026-07-01 12:00:00+00", "2026-07-01T12:00:00"),
            ("Europe/Berlin", "2026-07-01 12:00:00Z", "2026-07-01T12:00:00"),
            ("Europe/Berlin", "2026-03-29 01:59:59", "2026-03-29T00:59:59"),
            ("Europe/Berlin", "2026-03-29 02:30:00", "2026-03-29T01:30:00"),
            ("Europe/Berlin", "2026-03-29 03:00:00", "2026-03-29T01:00:00"),
            ("Europe/Berlin", "2026-10-25 01:59:59", "2026-10-24T23:59:59"),
            ("Europe/Berlin", "2026-10-25 02:30:00", "2026-10-25T01:30:00"),
            ("Europe/Berlin", "2026-10-25 03:00:00", "2026-10-25T02:00:00"),
            ("America/New_York", "1960-07-01 12:00:00", "1960-07-01T16:00:00"),
        ])
    func timezone(zone: String, text: String, expected: String) {
        let column = Column("at", .timestamp, timezone: zone)
        #expect(DecodedRecord(#"{"at":"\#(text)"}"#, [column]) == .row(#"{"at":"\#(expected).000000Z"}"#))
    }

    @Test(
        "A number of a column's unit is exact to the microsecond",
        arguments: [
            (.days, "20513", "2026-03-01T00:00:00.000000"), (.seconds, "1700000000.5", "2023-11-14T22:13:20.500000"),
            (.seconds, "0", "1970-01-01T00:00:00.000000"),
            (.milliseconds, "1700000000123", "2023-11-14T22:13:20.123000"),
            (.microseconds, "1700000000123456", "2023-11-14T22:13:20.123456"),
            (.nanoseconds, "1700000000123456789", "2023-11-14T22:13:20.123456"),
            (.nanoseconds, "-1", "1969-12-31T23:59:59.999999"), (.days, "-1", "1969-12-31T00:00:00.000000"),
        ] as [(TimestampUnit, String, String)])
    func units(unit: TimestampUnit, number: String, expected: String) {
        let column = Column("at", .timestamp, unit: unit)
        #expect(DecodedRecord(#"{"at":\#(number)}"#, [column]) == .row(#"{"at":"\#(expected)Z"}"#))
        #expect(DecodedRecord(#"{"at":1e300}"#, [column]).code == .outOfRange)
    }

    @Test(
        "Without a unit a number from 1990 to 2100 is seconds or milliseconds; another names the likely unit",
        arguments: [
            ("1700000000", nil), ("1700000000000", nil), ("631152000", nil), ("4102444800", nil),
            ("20513", "\"unit\": \"days\""), ("1700000000000000", "\"unit\": \"us\""),
            ("1700000000000000000", "\"unit\": \"ns\""), ("631151999", "say its unit"), ("0", "say its unit"),
            ("4102444801", "say its unit"), ("-1", "say its unit"), ("1e18", "\"unit\": \"ns\""),
        ] as [(String, String?)])
    func guessed(number: String, hint: String?) {
        let column = Column("at", .timestamp, coerce: true)
        for value in [number, "\"\(number)\""] {
            let decoded = DecodedRecord(#"{"at":\#(value)}"#, [column])
            if let hint {
                #expect(decoded.code == .outOfRange && decoded.reason.contains(hint), "\(decoded)")
            } else {
                #expect(decoded.code == nil, "\(decoded)")
            }
        }
        #expect(DecodedRecord(#"{"at":1700000000}"#, [Column("at", .timestamp)]).reason.contains("unit"))
    }
}
