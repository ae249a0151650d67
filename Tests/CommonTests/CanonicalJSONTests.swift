import Common
import Foundation
import Testing

@Suite("Canonical JSON")
struct CanonicalJSONTests {
    private func row(_ columns: [Column], _ values: [ColumnValue]) -> String {
        values.withUnsafeBufferPointer { values in
            written { CanonicalJSON.write(row: values, keys: CanonicalJSON.Keys(columns), to: &$0) }
        }
    }

    @Test("Columns stand in the declared order, each type in its one form")
    func allTypes() {
        let uuid = withBytes("0123ABCD-4567-89ab-cdef-0123456789AB") { UUIDValue($0) }
        let text = withBytes("é\"\\/\u{8}\u{1}\n\u{7F}") { bytes in
            row(
                [
                    Column("t", .text), Column("u", .uuid), Column("b", .boolean), Column("i", .bigint),
                    Column("s", .bigint, jsonString: true), Column("n", .text), Column("at", .timestamp),
                ],
                [
                    .text(bytes), .uuid(uuid!), .boolean(true), .integer(.min), .integer(-7), .null,
                    .timestamp(Timestamp(microseconds: -1)),
                ])
        }
        #expect(
            text == #"{"t":"é\"\\/\b\u0001\n"# + "\u{7F}"
                + #"","u":"0123abcd-4567-89ab-cdef-0123456789ab","b":true,"i":-9223372036854775808,"s":"-7","n":null,"#
                + #""at":"1999-12-31T23:59:59.999999Z"}"#)
    }

    @Test("A column's name is escaped as any string is")
    func escapedName() {
        #expect(row([Column("a\"b", .integer)], [.integer(0)]) == #"{"a\"b":0}"#)
    }

    @Test(
        "Doubles are the shortest digits that read back, whole ones without a point",
        arguments: [
            (5.0, "5"), (-0.0, "-0"), (0.1, "0.1"), (1e16, "1e+16"), (0.00001, "1e-05"), (100.0, "100"),
            (.greatestFiniteMagnitude, "1.7976931348623157e+308"), (123456789.125, "123456789.125"),
        ])
    func doubles(value: Double, expected: String) {
        let text = row([Column("d", .double)], [.double(value)])
        #expect(text == "{\"d\":\(expected)}")
        #expect(Double(expected)?.bitPattern == value.bitPattern)
    }

    @Test("Doubles of few digits are written as all others are")
    func shortDoubles() {
        var random = SystemRandomNumberGenerator()
        var values = [
            0.001, 0.0009999, 99_999_998.9999999, 99_999_999, 100_000_000, 0.1 + 0.2, 180, -179.9999999, 0.0010001,
        ]
        for _ in 0..<20_000 {
            let scale = [1.0, 10, 1000, 1e5, 1e7, 1e8].randomElement(using: &random)!
            let value = (Double.random(in: -2000...2000, using: &random) * scale).rounded() / scale
            values += [value, value.nextUp, value.nextDown, Double(bitPattern: random.next())]
        }
        for value in values where value.isFinite {
            let description = "\(value)"
            let expected = description.hasSuffix(".0") ? String(description.dropLast(2)) : description
            #expect(row([Column("d", .double)], [.double(value)]) == "{\"d\":\(expected)}")
        }
    }

    @Test("A byte that needs an escape gets it wherever it stands", arguments: 0...40)
    func escapes(length: Int) {
        let columns = [Column("t", .text), Column("n", .integer)]
        for special in ["", "\"", "\\", "\n", "\u{1F}"] {
            for place in 0..<max(length, 1) {
                var text = String(
                    (0..<length).map { _ in ["a", " ", "!", "#", "[", "]", "\u{7F}", "~", "é"].randomElement()! })
                guard length > 0 else { return expect("", "") }
                text.replaceSubrange(Range(NSRange(location: place, length: 1), in: text)!, with: special)
                let escaped = ["\"": #"\""#, "\\": #"\\"#, "\n": #"\n"#, "\u{1F}": #"\u001f"#]
                expect(text, text.map { escaped[String($0)] ?? String($0) }.joined())
            }
        }
        func expect(_ text: String, _ escaped: String) {
            let written = withBytes(text) { row(columns, [.text($0), .integer(7)]) }
            #expect(written == "{\"t\":\"\(escaped)\",\"n\":7}")
        }
    }

    @Test("Integers of every length", arguments: 0...18)
    func integers(digits: Int) {
        let power = (0..<digits).reduce(Int64(1)) { product, _ in product * 10 }
        for value in [power - 1, power, -power, .max, .min] {
            #expect(row([Column("i", .bigint)], [.integer(value)]) == "{\"i\":\(value)}")
        }
    }
}
