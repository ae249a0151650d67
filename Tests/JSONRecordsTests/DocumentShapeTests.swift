import Foundation
import JSONRecords
import TestSupport
import Testing

/// A reader that knows the shape of its documents takes another way than one that sees the first: both say the same.
@Suite(.timeLimit(.minutes(2)))
struct DocumentShapeTests {
    static let paths = [
        "time", "id", "place.x", "place.y", "list.1", "list.1.name", "count", "place", "gone", "a b", "",
    ]

    /// Values of two readers can be compared.
    enum Outcome: Equatable {
        case values([String])
        case refused(RecordRejection.Code, String)

        init(_ reader: inout DocumentReader, _ document: [UInt8]) {
            do throws(RecordRejection) {
                try Self.read(&reader, document)
                self = .values(DocumentShapeTests.paths.indices.map { Self.text(reader[$0]) })
            } catch {
                self = .refused(error.code, error.reason)
            }
        }

        private static func read(_ reader: inout DocumentReader, _ document: [UInt8]) throws(RecordRejection) {
            let result = document.withUnsafeBytes { bytes in
                Result { () throws(RecordRejection) in try reader.read(bytes) }
            }
            try result.get()
        }

        private static func text(_ value: DocumentReader.Value) -> String {
            switch value {
            case .missing: "missing"
            case .null: "null"
            case .boolean(let value): "\(value)"
            case .integer(let value): "integer \(value)"
            case .double(let value): "double \(value.bitPattern)"
            case .string(let bytes): "text \(Array(bytes))"
            case .nested: "nested"
            case .beyond: "beyond"
            case .brokenText: "broken text"
            }
        }
    }

    static let numbers = [
        "0", "-0", "-0.0", "1", "-1", "01", "1.", ".5", "-", "12.5", "0.1", "0.3", "123456.789", "1e5", "1E-3",
        "-12.25e2",
        "999999999999999999", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
        "18446744073709551616",
        "123456789012345678901234567890", "9007199254740993.5", "0.30000000000000004", "99999.9999999999", "1e400",
        "1.5.2",
    ]
    static let others = [
        "null", "true", "false", "nul", "tru", "truee", "\"\"", "\"text\"", "\"Zürich, Straße 12 – ça\"", "\"a\\nb\"",
        "\"\\u00e9\"",
        "\"\\ud800\"", "\"tab\there\"", "\"no end", "\"a longer text than a word has bytes\"", "{}", "[]", "[1]",
        "{\"name\":1}",
    ]

    static func value(_ random: inout SeededGenerator) -> String {
        switch Int.random(in: 0..<10, using: &random) {
        case 0, 1: numbers.randomElement(using: &random)!
        case 2, 3: others.randomElement(using: &random)!
        case 4: "\(Int64.random(in: -1_000_000_000_000...1_000_000_000_000, using: &random))"
        case 5: "\(Double.random(in: -1000...1000, using: &random))"
        case 6: "\(Double(Int.random(in: -1_000_000...1_000_000, using: &random)) / 1000)"
        default: "\"\(String(repeating: "x", count: Int.random(in: 0...40, using: &random)))\""
        }
    }

    static func document(_ shape: Int, _ random: inout SeededGenerator) -> String {
        func next() -> String { value(&random) }
        return switch shape {
        case 0: "{\"time\":\(next()),\"id\":\(next()),\"count\":\(next()),\"more\":\(next())}"
        case 1: "{\"id\": \(next()), \"place\": {\"x\": \(next()), \"y\": \(next())}, \"time\": \(next())}\n"
        case 2:
            "{ \"list\" : [ \(next()) , {\"name\": \(next())}, \(next()) ], \"a b\" : \(next()) , \"\" : \(next()) }"
        case 3: "{\"list\":[\(next()),\(next())],\"place\":\(next()),\"gone\":\(next())}"
        case 4: "{\"id\":\(next()),\"id\":\(next()),\"place\":{\"x\":\(next()),\"x\":\(next())}}"
        case 5: "\u{FEFF}{\"id\":\(next())}"
        default: "{\"i\\u0064\":\(next()),\"count\":\(next())}"
        }
    }

    @Test("A document is read the same whether its shape is known or not", arguments: [1, 2, 3])
    func same(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for round in 0..<1500 {
            let shape = round % 7
            var known = DocumentReader(paths: Self.paths, byteLimit: 1000)
            // Until one is taken, the shape is not known.
            for _ in 0..<4 { _ = Outcome(&known, Array(Self.document(shape, &random).utf8)) }
            for _ in 0..<4 {
                var document = Array(Self.document(shape, &random).utf8)
                if Int.random(in: 0..<3, using: &random) == 0 {
                    let place = document.indices.randomElement(using: &random)!
                    switch Int.random(in: 0..<3, using: &random) {
                    case 0: document[place] = UInt8.random(in: 0...255, using: &random)
                    case 1: document.remove(at: place)
                    default: document.insert(document.randomElement(using: &random)!, at: place)
                    }
                }
                var unknown = DocumentReader(paths: Self.paths, byteLimit: 1000)
                let expected = Outcome(&unknown, document)
                #expect(
                    Outcome(&known, document) == expected, "seed \(seed): \(String(decoding: document, as: UTF8.self))")
            }
        }
    }

    @Test("Every cut of a document is refused, known shape or not")
    func cuts() {
        let document = Array("{\"time\":\"2026-11-23\",\"count\":12,\"place\":{\"x\":1.5,\"y\":true}}".utf8)
        var known = DocumentReader(paths: Self.paths, byteLimit: 1000)
        for end in 1..<document.count {
            guard case .values = Outcome(&known, document) else {
                Issue.record("the whole document is refused")
                return
            }
            guard case .refused = Outcome(&known, Array(document[..<end])) else {
                Issue.record("taken: \(String(decoding: document[..<end], as: UTF8.self))")
                continue
            }
        }
    }

    @Test("The fields of a document of a known shape are named")
    func fields() throws {
        let documents = ["{\"place\":{\"x\":1,\"z\":2}}", "{\"place\":{\"x\":3,\"z\":4}}"].map { Array($0.utf8) }
        var reader = DocumentReader(paths: ["place.y"], byteLimit: 1000)
        for document in documents + documents {
            try document.withUnsafeBytes { try reader.read($0) }
            let (names, depth) = reader.fields(towards: 0)
            #expect(names == ["x", "z"])
            #expect(depth == 1)
        }
    }
}
