import Common
import JSONRecords
import Testing

@Suite("Reasons of dead letters")
struct ReasonTests {
    private let columns = [Column("n", .integer)]

    @Test(
        "A record that is no JSON object has a sentence that says what it is",
        arguments: [
            ("[{},{}]", .notObject, "array of 2 values"), ("{} {}", .notJSON, "several JSON values"),
            ("{\"n\":1}\n{\"n\":2}\n", .notJSON, "several JSON values"), (#"{"n":1},"#, .notJSON, "behind the end"),
            (#"{"n":1"#, .notJSON, "cut off"), (#""{\"n\":1}""#, .notObject, "encoded twice"),
            ("null", .notObject, "a delete is a record without any value"), ("5", .notObject, "a number"),
            ("true", .notObject, "true or false"), ("<xml/>", .notJSON, "XML"),
            ("hello", .notJSON, "begin with an object's {"),
            (" \n", .notJSON, "white space"), (#"{"n":01}"#, .notJSON, "numbers is none"),
            (#"{"n":NaN}"#, .notJSON, "NaN"),
            ("{\"n\":\"\u{1}\"}", .notJSON, "control character"), (#"{'n':1}"#, .notJSON, "double quotes"),
            (#"{"n":"\x"}"#, .notJSON, "escape"),
            (String(repeating: #"{"a":"#, count: 1100) + "1" + String(repeating: "}", count: 1100), .notJSON, "nested"),
        ] as [(String, RecordRejection.Code, String)])
    func sentences(json: String, code: RecordRejection.Code, words: String) {
        let decoded = DecodedRecord(json, columns)
        #expect(decoded.code == code && decoded.reason.contains(words), "\(decoded)")
    }

    @Test("A schema registry's framing is named with its id, and skip_prefix takes what is behind it")
    func framing() {
        var stream = StreamDefinition(name: "s", topics: ["s"], mode: .append, columns: columns)
        let framed = [0, 0, 0, 1, 2] + Array(#"{"n":5}"#.utf8)
        let reason = DecodedRecord(framed, stream).reason
        #expect(reason.contains("schema id 258") && reason.contains(#""skip_prefix": 5"#), "\(reason)")
        #expect(DecodedRecord([0, 0, 0, 1, 2, 2, 10], stream).reason.contains("Avro"))
        stream.skipPrefix = 5
        #expect(DecodedRecord(framed, stream) == .row(#"{"n":5}"#))
        #expect(DecodedRecord([0, 0, 0, 1, 2], stream).code == .empty)
        #expect(DecodedRecord([0, 0], stream).code == .empty)
    }

    @Test("A byte order mark is skipped, other encodings and compression are named")
    func encodings() {
        let stream = StreamDefinition(name: "s", topics: ["s"], mode: .append, columns: columns)
        #expect(DecodedRecord([0xEF, 0xBB, 0xBF] + Array(#"{"n":5}"#.utf8), stream) == .row(#"{"n":5}"#))
        #expect(DecodedRecord([0xEF, 0xBB, 0xBF], stream).reason.contains("white space"))
        #expect(DecodedRecord([0xFF, 0xFE, 0x7B, 0], stream).reason.contains("UTF-16"))
        #expect(DecodedRecord([0x1F, 0x8B, 8, 0, 0], stream).reason.contains("gzip"))
        #expect(
            DecodedRecord(Array("{\"t\":\"".utf8) + [0xFF] + Array("\"}".utf8), stream).reason.contains("not UTF-8"))
    }
}
