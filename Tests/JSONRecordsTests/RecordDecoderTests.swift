import Common
import JSONRecords
import Testing

@Suite("Decoding records")
struct RecordDecoderTests {
    private enum Decoded: Equatable {
        case row(String)
        case dead(RecordRejection.Code)
    }

    private func decode(
        _ json: String, _ columns: [Column], key: String? = nil, timestamp: Int64? = nil, increments: [String] = []
    ) -> Decoded {
        let stream = StreamDefinition(name: "s", topics: ["s"], mode: .append, increments: increments, columns: columns)
        var decoder = RecordDecoder(stream, byteLimit: 1000)
        var json = json
        var key = key ?? ""
        let hasKey = !key.isEmpty
        return json.withUTF8 { json in
            key.withUTF8 { key in
                do throws(RecordRejection) {
                    let metadata = RecordMetadata(
                        key: hasKey ? UnsafeRawBufferPointer(key) : nil, timestamp: timestamp, partition: 3, offset: 7)
                    try decoder.decode(UnsafeRawBufferPointer(json), metadata)
                } catch {
                    return .dead(error.code)
                }
                var writer = ByteWriter()
                CanonicalJSON.write(row: decoder.values, keys: CanonicalJSON.Keys(columns), to: &writer)
                return .row(String(decoding: writer.bytes, as: UTF8.self))
            }
        }
    }

    @Test("A reading of the built-in traffic stream becomes its canonical row")
    func traffic() {
        let stream = BuiltInStreams.all()[0]
        let json = """
            {"timestamp":"2026-11-23 18:26:01+01","stream_id":"0123ABCD-4567-89ab-cdef-0123456789AB","extra":[1,{}],
             "location":"Ring \\u00e9","longitude":"13.4","latitude":52,"numbers_of_cars":12,"label":null}
            """
        #expect(
            decode(json, stream.columns)
                == .row(
                    #"{"timestamp":"2026-11-23T17:26:01.000000Z","stream_id":"0123abcd-4567-89ab-cdef-0123456789ab","#
                        + #""location":"Ring é","longitude":13.4,"latitude":52,"numbers_of_cars":12,"label":null,"type":null}"#
                ))
    }

    @Test(
        "A document that can't be a row says why",
        arguments: [
            ("", .notJSON), ("{", .notJSON), ("{}{}", .notJSON), ("[]", .notObject), ("1", .notObject),
            ("{\"n\":01}", .notJSON), ("{\"n\":\"\u{1}\"}", .notJSON), ("{}", .missing), (#"{"n":null}"#, .missing),
            (#"{"n":"5"}"#, .wrongType), (#"{"n":1.5}"#, .wrongType), (#"{"n":true}"#, .wrongType),
            (#"{"n":{}}"#, .wrongType), (#"{"n":-1}"#, .outOfRange), (#"{"n":101}"#, .outOfRange),
            (#"{"n":18446744073709551615}"#, .wrongType), (#"{"n":1,"t":"a\u0000b"}"#, .nul),
            (#"{"n":1,"t":"ééééé"}"#, .tooLong), (#"{"n":[1]}"#, .wrongType),
        ] as [(String, RecordRejection.Code)])
    func rejects(json: String, code: RecordRejection.Code) {
        let columns = [
            Column("n", .integer, required: true, min: 0, max: 100), Column("t", .text, maxLength: 4),
        ]
        #expect(decode(json, columns) == .dead(code))
    }

    @Test("Bytes that are not UTF-8 are not JSON")
    func invalidUTF8() {
        var decoder = RecordDecoder(BuiltInStreams.all()[0])
        let bytes: [UInt8] = Array("{\"label\":\"".utf8) + [0xFF] + Array("\"}".utf8)
        let code: RecordRejection.Code? = bytes.withUnsafeBytes { bytes in
            do throws(RecordRejection) {
                try decoder.decode(bytes, RecordMetadata(key: nil, timestamp: nil, partition: 0, offset: 0))
                return nil
            } catch { return error.code }
        }
        #expect(code == .notJSON)
    }

    @Test("Of a repeated name the last counts, at the root and below")
    func repeatedNames() {
        let columns = [Column("a", .integer), Column("b", .integer, from: .path("o.p.q"))]
        let json = #"{"a":1,"o":{"p":{"q":1}},"a":2,"o":{"p":{"q":2,"q":3}}}"#
        #expect(decode(json, columns) == .row(#"{"a":2,"b":3}"#))
        #expect(decode(#"{"o":{"p":{"q":1}},"o":{}}"#, columns) == .row(#"{"a":null,"b":null}"#))
    }

    @Test("Columns can come from the Kafka record")
    func metadata() {
        let columns = [
            Column("k", .text, from: .key), Column("at", .timestamp, from: .timestamp),
            Column("p", .integer, from: .partition), Column("o", .bigint, from: .offset),
            Column("n", .integer, from: .key),
        ]
        #expect(
            decode("{}", columns, key: "12", timestamp: 0)
                == .row(#"{"k":"12","at":"1970-01-01T00:00:00.000000Z","p":3,"o":7,"n":12}"#))
        #expect(decode("{}", columns) == .row(#"{"k":null,"at":null,"p":3,"o":7,"n":null}"#))
    }

    @Test("Numbers keep every digit a bigint has, and are refused where JSON's readers would round them")
    func bigints() {
        let plain = [Column("n", .bigint, coerce: true)]
        #expect(decode(#"{"n":9007199254740991}"#, plain) == .row(#"{"n":9007199254740991}"#))
        #expect(decode(#"{"n":9007199254740992}"#, plain) == .dead(.outOfRange))
        let exact = [Column("n", .bigint, coerce: true, jsonString: true)]
        #expect(decode(#"{"n":"9223372036854775807"}"#, exact) == .row(#"{"n":"9223372036854775807"}"#))
        #expect(decode(#"{"n":-9223372036854775808}"#, exact) == .row(#"{"n":"-9223372036854775808"}"#))
        #expect(decode(#"{"n":"nan"}"#, exact) == .dead(.wrongType))
    }

    @Test("Coerced text that means no finite number is refused")
    func notFinite() {
        for text in ["nan", "inf", "-infinity", "1e999"] {
            #expect(decode(#"{"d":"\#(text)"}"#, [Column("d", .double, coerce: true)]) == .dead(.outOfRange))
        }
    }

    @Test("The bounds of an added-up column hold for the sum, not for a record's change")
    func incrementBounds() {
        let columns = [Column("q", .bigint, min: 0)]
        #expect(decode(#"{"q":-5}"#, columns, increments: ["q"]) == .row(#"{"q":-5}"#))
        #expect(decode(#"{"q":-5}"#, columns) == .dead(.outOfRange))
    }

    @Test("A record over the byte limit is refused whatever it holds")
    func tooLarge() {
        let padding = String(repeating: " ", count: 1000)
        #expect(decode("{" + padding + "}", [Column("t", .text)]) == .dead(.tooLarge))
    }
}
