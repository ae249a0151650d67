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
}
