import Common
import Foundation
import JSONRecords
import Testing

/// Runs the examples of docs/streams.md: each line of a `records` block through the `stream` above it.
@Suite("docs/streams.md")
struct StreamsDocumentTests {
    struct Example: CustomTestStringConvertible {
        let stream: StreamDefinition
        let line: String
        let number: Int
        var testDescription: String { "line \(number): \(line)" }
    }

    static let examples = Result { try read() }

    private static func read() throws -> [Example] {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "docs/streams.md")
        var examples: [Example] = []
        var stream: StreamDefinition?
        var block: (kind: String, text: String)?
        let lines = try String(contentsOf: file, encoding: .utf8).split(
            separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            if line.hasPrefix("```") {
                if let (kind, text) = block, kind == "stream" {
                    stream = try JSONDecoder().decode(StreamDefinition.self, from: Data(text.utf8))
                    let problems = StreamValidation([stream!]).problems
                    #expect(problems.isEmpty, "line \(index): \(problems)")
                }
                block = block == nil ? (String(line.dropFirst(3)), "") : nil
            } else if let (kind, text) = block {
                block = (kind, text + line + "\n")
                if kind == "records" {
                    examples.append(Example(stream: try #require(stream), line: String(line), number: index + 1))
                }
            }
        }
        return examples
    }

    @Test("There are examples of everything")
    func complete() throws {
        let examples = try Self.examples.get()
        #expect(examples.count > 70)
        let text = examples.map(\.line).joined(separator: "\n")
        let streams = examples.map(\.stream)
        for type in ColumnType.allCases {
            #expect(streams.contains { $0.columns.contains { $0.type == type } }, "\(type)")
        }
        for code in RecordRejection.Code.allCases where ![.empty, .tooLarge, .refused, .belowMinimum].contains(code) {
            #expect(text.contains("✗ \(code.rawValue) "), "no example of \(code)")
        }
    }

    @Test("Each example does what the document says")
    func run() throws {
        for example in try Self.examples.get() {
            let line = example.line
            let mark = try #require(line.range(of: " → ") ?? line.range(of: " ✗ "), "\(example.testDescription)")
            let (input, outcome) = (line[..<mark.lowerBound], line[mark.upperBound...])
            var key: [UInt8]?
            var value: [UInt8]? = Self.bytes(input)
            if input.hasPrefix("key ") {
                let parts = input.dropFirst(4).components(separatedBy: ", {")
                key = Self.bytes(parts[0][...])
                value = parts.count == 2 ? Array(("{" + parts[1]).utf8) : nil
            }
            let decoded = DecodedRecord(value, key: key, example.stream)
            if line[mark].contains("✗") {
                let words = outcome.split(separator: " ", maxSplits: 1)
                #expect(decoded.code?.rawValue == String(words[0]), "\(example.testDescription): \(decoded)")
                #expect(decoded.reason.contains(words[1]), "\(example.testDescription): \(decoded)")
            } else if outcome.hasPrefix("deleted ") {
                #expect(decoded == .deleted(String(outcome.dropFirst(8))), "\(example.testDescription)")
            } else {
                #expect(decoded == .row(String(outcome)), "\(example.testDescription)")
            }
        }
    }

    /// Bytes in hexadecimal, or text.
    private static func bytes(_ text: Substring) -> [UInt8] {
        guard text.hasPrefix("0x") else { return Array(text.utf8) }
        return HexBytes(String(text.dropFirst(2)))?.bytes ?? []
    }
}
