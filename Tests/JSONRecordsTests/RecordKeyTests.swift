import Common
import JSONRecords
import Testing

@Suite("Keys of records")
struct RecordKeyTests {
    private func key(_ json: String, _ columns: [Column], key names: [String]? = nil) throws -> String? {
        let stream = StreamDefinition(
            name: "s", topics: ["s"], mode: .upsert, key: names ?? columns.map(\.name), columns: columns)
        let key = try #require(RecordKey(stream, byteLimit: 1000))
        var json = json
        let bytes = try json.withUTF8 { try key.bytes(of: UnsafeRawBufferPointer($0)) }
        return bytes.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("The built-in streams are keyed by camera, in lower case, and by sku")
    func builtIn() throws {
        let streams = BuiltInStreams.all()
        #expect(
            try key(
                #"{"stream_id":"0123ABCD-4567-89ab-cdef-0123456789AB","n":1}"#, streams[0].columns, key: streams[0].key)
                == "0123abcd-4567-89ab-cdef-0123456789ab")
        #expect(
            try key(#"{"quantity":-1,"sku":"lens \"8\" \u00e9"}"#, streams[1].columns, key: streams[1].key)
                == #"lens "8" é"#)
    }

    @Test(
        "A key of one column is the text of its canonical value",
        arguments: [
            (Column("k", .text), #"{"k":""}"#, ""), (Column("k", .integer), #"{"k":-007e0}"#, nil),
            (Column("k", .bigint), #"{"k":-7}"#, "-7"), (Column("k", .bigint, coerce: true), #"{"k":"7"}"#, "7"),
            (Column("k", .bigint, jsonString: true), #"{"k":9007199254740993}"#, "9007199254740993"),
            (Column("k", .double), #"{"k":1.50}"#, "1.5"), (Column("k", .double), #"{"k":2}"#, "2"),
            (Column("k", .boolean), #"{"k":true}"#, "true"),
            (Column("k", .timestamp), #"{"k":"2026-11-23T18:00:00+01:00"}"#, "2026-11-23T17:00:00.000000Z"),
            (Column("k", .text, from: .path("a.b")), #"{"k":"no","a":{"b":"yes"}}"#, "yes"),
        ] as [(Column, String, String?)])
    func single(column: Column, json: String, expected: String?) throws {
        guard let expected else {
            #expect(throws: RecordRejection.self) { try key(json, [column]) }
            return
        }
        #expect(try key(json, [column]) == expected)
    }

    @Test("A key of several columns is an array in the key's order, which a tombstone's reader takes apart again")
    func composite() throws {
        let columns = [Column("a", .text), Column("n", .bigint), Column("id", .uuid)]
        let text = try key(
            #"{"n":5,"a":"q\"","id":"0123ABCD-4567-89AB-CDEF-0123456789AB"}"#, columns, key: ["id", "a", "n"])
        #expect(text == #"["0123abcd-4567-89ab-cdef-0123456789ab","q\"",5]"#)
        let stream = StreamDefinition(name: "s", topics: ["s"], mode: .upsert, key: ["id", "a", "n"], columns: columns)
        var decoder = RecordDecoder(stream)
        try Array(text!.utf8).withUnsafeBytes {
            try decoder.decodeTombstone(RecordMetadata(key: $0, timestamp: nil, partition: 0, offset: 0))
        }
        var writer = ByteWriter()
        CanonicalJSON.write(row: decoder.values, keys: CanonicalJSON.Keys(columns), to: &writer)
        #expect(
            String(decoding: writer.bytes, as: UTF8.self)
                == #"{"a":"q\"","n":5,"id":"0123abcd-4567-89ab-cdef-0123456789ab"}"#)
    }

    @Test(
        "A record without a whole key has none; what is no object is refused",
        arguments: [
            (#"{"a":"x"}"#, nil), (#"{"a":"x","n":null}"#, nil), (#"{"a":"x","n":"many"}"#, nil),
            (#"{"a":{},"n":1}"#, nil), ("[1]", .notObject), ("{", .notJSON), ("", .notJSON),
            (#"{"t":""# + String(repeating: "x", count: 1000) + #""}"#, .tooLarge),
        ] as [(String, RecordRejection.Code?)])
    func missing(json: String, expected: RecordRejection.Code?) throws {
        do {
            #expect(try key(json, [Column("a", .text), Column("n", .bigint)]) == nil)
            #expect(expected == nil)
        } catch let error as RecordRejection {
            #expect(error.code == expected)
        }
    }

    @Test("A stream without a key, or with one of Kafka's own, has nothing to read it from")
    func none() {
        let columns = [Column("k", .text, from: .key), Column("n", .bigint)]
        for names in [[], ["k"], ["n", "k"]] {
            let stream = StreamDefinition(name: "s", topics: ["s"], mode: .append, key: names, columns: columns)
            #expect(RecordKey(stream) == nil)
        }
    }
}
