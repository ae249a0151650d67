import Common
import JSONRecords
import Testing

@Suite("Bytes of Kafka's keys and headers")
struct KafkaBytesTests {
    private func decode(_ bytes: [UInt8], _ type: ColumnType, binary: Bool, unit: TimestampUnit? = nil) -> DecodedRecord
    {
        let column = Column("k", type, from: .key, unit: unit, binary: binary)
        let header = Column("h", type, from: .header("h"), unit: unit, binary: binary)
        let stream = StreamDefinition(name: "s", topics: ["s"], mode: .append, columns: [column, header])
        return DecodedRecord(Array("{}".utf8), key: bytes, headers: ["h": bytes], stream)
    }

    @Test(
        "A binary column takes its type's own bytes",
        arguments: [
            (.bigint, [0, 0, 0, 0, 0, 0, 1, 2], "258"), (.bigint, [255, 255, 255, 254], "-2"),
            (.integer, [0, 0, 0, 7], "7"), (.integer, [0, 0, 0, 0, 0, 0, 0, 7], "7"),
            (.double, [0x3F, 0xF8, 0, 0, 0, 0, 0, 0], "1.5"), (.double, [0x3F, 0xC0, 0, 0], "1.5"),
            (.boolean, [1], "true"),
            (
                .uuid, [0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0x4D, 0xEF, 0x80, 0, 0, 0, 0, 0, 0, 1],
                #""01234567-89ab-4def-8000-000000000001""#
            ),
        ] as [(ColumnType, [UInt8], String)])
    func binary(type: ColumnType, bytes: [UInt8], expected: String) {
        #expect(decode(bytes, type, binary: true) == .row(#"{"k":\#(expected),"h":\#(expected)}"#))
    }

    @Test("A binary time has a unit; bytes of another length are refused")
    func others() {
        #expect(
            decode([0, 0, 1, 0x8B, 0xCF, 0xE5, 0x68, 0], .timestamp, binary: true, unit: .milliseconds)
                == .row(#"{"k":"2023-11-14T22:13:20.000000Z","h":"2023-11-14T22:13:20.000000Z"}"#))
        #expect(decode([1, 2, 3], .bigint, binary: true).code == .wrongType)
        #expect(decode(Array("12345678".utf8), .integer, binary: true).code == .outOfRange)
    }

    @Test(
        "Bytes that are no text are refused with what they may be",
        arguments: [
            (.bigint, [0, 0, 0, 0, 0, 0, 1, 2], "binary bigint"),
            (.bigint, [255, 255, 255, 255, 0, 0, 0, 1], "binary bigint"),
            (.integer, [0, 0, 0, 7], "binary integer"), (.text, [0, 0, 0, 0, 0, 0, 1, 2], "binary bigint"),
            (.uuid, [0xFF, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], "binary uuid"),
            (.text, [0xFF, 0xFE, 1], "not UTF-8"),
        ] as [(ColumnType, [UInt8], String)])
    func hint(type: ColumnType, bytes: [UInt8], hint: String) {
        let decoded = decode(bytes, type, binary: false)
        #expect(decoded.reason.contains(hint), "\(decoded)")
    }

    @Test("A tombstone's binary key names its row")
    func tombstone() {
        let stream = StreamDefinition(
            name: "s", topics: ["s"], mode: .upsert, key: ["id"],
            columns: [Column("id", .bigint, binary: true), Column("t", .text)])
        #expect(DecodedRecord(nil, key: [0, 0, 0, 0, 0, 0, 1, 2], stream) == .deleted(#"{"id":258,"t":null}"#))
    }
}
