import Common
import JSONRecords
import Testing

@Suite("Changes of rows, and deletes")
struct ChangeRecordTests {
    private static let orders = StreamDefinition(
        name: "orders", topics: ["t"], mode: .upsert, key: ["id"],
        columns: [
            Column("id", .text, required: true), Column("total", .double, required: true),
            Column("at", .timestamp, unit: .microseconds),
        ], changeRecords: .debezium)

    private func decode(_ json: String, key: String? = nil) -> DecodedRecord {
        DecodedRecord(Array(json.utf8), key: key.map { Array($0.utf8) }, Self.orders)
    }

    @Test("Created, read and updated rows are what is after, bare or below payload", arguments: ["c", "r", "u"])
    func after(op: String) {
        let change =
            #"{"before":{"id":"no"},"after":{"id":"d1","total":5,"at":1700000000123456},"op":"\#(op)","ts_ms":1}"#
        let row = DecodedRecord.row(#"{"id":"d1","total":5,"at":"2023-11-14T22:13:20.123456Z"}"#)
        #expect(decode(change) == row)
        #expect(decode(#"{"schema":{"op":1},"payload":\#(change)}"#) == row)
    }

    @Test("A delete names its row by what was before, or by Kafka's key")
    func deleted() {
        let gone = DecodedRecord.deleted(#"{"id":"d1","total":null,"at":null}"#)
        #expect(decode(#"{"before":{"id":"d1","total":"x"},"after":null,"op":"d"}"#) == gone)
        #expect(decode(#"{"payload":{"before":{"id":"d1"},"after":null,"op":"d"}}"#) == gone)
        #expect(decode(#"{"before":null,"after":null,"op":"d"}"#, key: #"{"id":"d1"}"#) == gone)
        #expect(decode(#"{"op":"d"}"#, key: #"{"schema":{},"payload":{"id":"d1"}}"#) == gone)
        #expect(decode(#"{"op":"d"}"#).code == .badKey)
        #expect(decode(#"{"before":{"total":1},"op":"d"}"#).code == .missing)
    }

    @Test(
        "What is no change has a reason",
        arguments: [
            (#"{"id":"d1","total":5}"#, .missing), (#"{"op":"c","after":null}"#, .missing),
            (#"{"op":"t"}"#, .wrongType),
            (#"{"op":"c","after":{"id":"d1"}}"#, .missing),
            (#"{"op":"u","after":{"id":"d1","total":"x"}}"#, .wrongType),
        ] as [(String, RecordRejection.Code)])
    func bad(json: String, code: RecordRejection.Code) {
        #expect(decode(json).code == code)
    }

    @Test(
        "A tombstone's key may be JSON: an object is read like a record, a string is its text, else text is as it is",
        arguments: [
            (Column("id", .text), #"{"id":"d1"}"#, #""d1""#),
            (Column("id", .text), #"{"payload":{"id":"d1"}}"#, #""d1""#),
            (Column("id", .text, from: .path("_id.$oid")), #"{"_id":{"$oid":"5a"}}"#, #""5a""#),
            (Column("id", .text, from: .path("_id.$oid")), #"{"id":"5a"}"#, #""5a""#),
            (Column("id", .bigint), #"{"id":9007199254740991}"#, "9007199254740991"),
            (Column("id", .text), #""d1""#, #""d1""#), (Column("id", .text), "d1", #""d1""#),
            (Column("id", .bigint), "7", "7"),
            (Column("id", .text), "{d1", #""{d1""#),
            (Column("id", .text, from: .key), #"{"id":"d1"}"#, #""{\"id\":\"d1\"}""#),
            (Column("id", .text), #"{"id":{"x":1}}"#, nil), (Column("id", .text), #"{"other":1}"#, nil),
            (Column("id", .text), #"{"id":null}"#, nil), (Column("id", .bigint), "x", nil),
        ] as [(Column, String, String?)])
    func keys(column: Column, key: String, expected: String?) {
        let stream = StreamDefinition(
            name: "s", topics: ["s"], mode: .upsert, key: ["id"], columns: [column, Column("t", .text)])
        let decoded = DecodedRecord(nil, key: Array(key.utf8), stream)
        if let expected {
            #expect(decoded == .deleted(#"{"id":\#(expected),"t":null}"#))
        } else {
            #expect(decoded.code != nil)
        }
    }

    @Test("A key of several columns may be an object or an array")
    func severalColumns() {
        let stream = StreamDefinition(
            name: "s", topics: ["s"], mode: .upsert, key: ["b", "a"],
            columns: [Column("a", .text), Column("b", .bigint)])
        for key in [#"{"a":"x","b":5}"#, #"[5,"x"]"#, #" {"payload":{"a":"x","b":5}}"#] {
            #expect(DecodedRecord(nil, key: Array(key.utf8), stream) == .deleted(#"{"a":"x","b":5}"#))
        }
    }

    @Test(
        "What a producer makes a key of is read back from it", arguments: ["d1", "{d1}", #""d1""#, "{", " {}", "[1]"])
    func producedKeys(text: String) throws {
        let stream = StreamDefinition(
            name: "s", topics: ["s"], mode: .upsert, key: ["id"], columns: [Column("id", .text)])
        var writer = ByteWriter()
        CanonicalJSON.write(string: text, to: &writer)
        let json = String(decoding: writer.bytes, as: UTF8.self)
        let key = try #require(RecordKey(stream))
        let bytes = try Array(#"{"id":\#(json)}"#.utf8).withUnsafeBytes { try key.bytes(of: $0) }
        #expect(DecodedRecord(nil, key: bytes, stream) == .deleted(#"{"id":\#(json)}"#))
    }
}
