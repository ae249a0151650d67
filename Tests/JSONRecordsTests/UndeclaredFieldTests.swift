import Common
import JSONRecords
import Testing

@Suite("Fields that nobody declared, and paths to those that are")
struct UndeclaredFieldTests {
    private let columns = [Column("n", .bigint), Column("d", .double), Column("t", .text)]

    @Test(
        "What no column takes costs no record, however odd it is",
        arguments: [
            "18446744073709551616", "-9223372036854775809", "123456789012345678901234567890", "1e400", "-1e999",
            #""\ud83d""#, #""\ude00 alone""#, #"["\ud800\ud800",{"x":1e309}]"#,
        ])
    func odd(value: String) {
        let record = #"{"x":\#(value),"n":9007199254740991,"d":0.1,"t":"\ud83d\ude00 \\ud83d","y":[\#(value)]}"#
        #expect(DecodedRecord(record, columns) == .row(#"{"n":9007199254740991,"d":0.1,"t":"😀 \\ud83d"}"#))
        #expect(DecodedRecord(#"{"n":1,\#(#""\ud83d""#):2}"#, columns) == .row(#"{"n":1,"d":null,"t":null}"#))
    }

    @Test("An odd neighbour changes no digit of a bigint")
    func neighbours() {
        let exact = [Column("n", .bigint, jsonString: true)]
        for n in ["-9223372036854775808", "9223372036854775807", "1234567890123456789"] {
            #expect(DecodedRecord(#"{"x":1e400,"n":\#(n)}"#, exact) == .row(#"{"n":"\#(n)"}"#))
        }
    }

    @Test(
        "A declared column has a reason for the same values",
        arguments: [
            (#"{"n":18446744073709551616}"#, .wrongType), (#"{"n":-9223372036854775809}"#, .wrongType),
            (#"{"n":1e400}"#, .outOfRange), (#"{"d":1e400}"#, .outOfRange), (#"{"t":1e400}"#, .wrongType),
            (#"{"t":"\ud83d"}"#, .wrongType), (#"{"n":9007199254740993.0}"#, .wrongType),
        ] as [(String, RecordRejection.Code)])
    func declared(json: String, code: RecordRejection.Code) {
        let exact = [Column("n", .bigint, jsonString: true), columns[1], columns[2]]
        #expect(DecodedRecord(json, exact).code == code)
    }

    @Test("An integer beyond 64 bits is a number to a double")
    func bigDouble() {
        #expect(
            DecodedRecord(#"{"d":100000000000000000000000}"#, columns)
                == .row(#"{"n":null,"d":1e+23,"t":null}"#))
    }

    @Test(
        "A path reaches into arrays, and names fields with dots",
        arguments: [
            ("geometry.coordinates.0", "13.5"), ("geometry.coordinates.1", "52"), ("geometry.coordinates.2", "null"),
            ("geometry.coordinates", "dead"), ("list.0.a", "7"), ("list.1.0", "8"), ("list.-1", "null"), ("map.0", "9"),
            (#"a\.b"#, "1"), ("a.b", "2"), (#"c\\d"#, "3"), (#"o.x\.y.z"#, "4"), ("list.00000000000", "null"),
        ])
    func paths(path: String, expected: String) {
        let record = #"""
            {"geometry":{"coordinates":[13.5,52]},"list":[{"a":7},[8]],"map":{"0":9},
             "a.b":1,"a":{"b":2},"c\\d":3,"o":{"x.y":{"z":4}}}
            """#
        let decoded = DecodedRecord(record, [Column("v", .double, from: .path(path))])
        #expect(expected == "dead" ? decoded.code == .wrongType : decoded == .row(#"{"v":\#(expected)}"#))
    }

    @Test("A column without from is the field of its own name, dots and all")
    func ownName() {
        #expect(DecodedRecord(#"{"a.b":1,"a":{"b":2}}"#, [Column("a.b", .integer)]) == .row(#"{"a.b":1}"#))
        for name in ["a", "a.b", #"a\b"#, #"\.a\\"#, "."] {
            #expect(ColumnOrigin.names(of: ColumnOrigin.escaped(name)) == [name])
        }
        #expect(ColumnOrigin.names(of: #"a.b\.c.\x"#) == ["a", "b.c", #"\x"#])
    }
}
