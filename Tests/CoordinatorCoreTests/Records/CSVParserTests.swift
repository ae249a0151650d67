import Testing

@testable import CoordinatorCore

@Suite("Comma-separated values")
struct CSVParserTests {
    /// Records by the line that they begin in; what is bad by its reason's first word.
    private func parse(_ text: [UInt8], pieces: [Int], byteLimit: Int = 40) -> [String] {
        var parser = CSVParser(byteLimit: byteLimit)
        var found: [String] = []
        func note(_ result: CSVParser.Result) {
            switch result {
            case .more: break
            case .bad(let reason): found.append("\(parser.line): \(reason)")
            case .record:
                let fields = (0..<parser.fieldCount).map { index in
                    let (bytes, isQuoted) = parser.field(index)
                    return String(decoding: bytes, as: UTF8.self) + (isQuoted ? "'" : "")
                }
                found.append("\(parser.line): \(fields.joined(separator: "|"))")
            }
        }
        var start = 0
        for end in pieces + [text.count] {
            var rest = text[start..<end]
            while !rest.isEmpty {
                let (taken, result) = rest.withUnsafeBytes { parser.parse($0) }
                note(result)
                rest = rest.dropFirst(taken)
            }
            start = end
        }
        while let result = parser.finish() { note(result) }
        return found
    }

    @Test(
        "Quotes, line ends, marks and mistakes mean the same wherever the bytes are cut",
        arguments: [
            ("a,b\n1,2\n", ["1: a|b", "2: 1|2"]),
            ("a,b\r\n1,2\r\n3,", ["1: a|b", "2: 1|2", "3: 3|"]),
            ("a\r1\r2", ["1: a", "2: 1", "3: 2"]),
            ("\u{FEFF}\"a\",b\n", ["1: a'|b"]),
            ("\n\na,b\n\n\r\n1,2", ["3: a|b", "6: 1|2"]),
            ("\"x,y\",\"say \"\"hi\"\"\",\"\"\n,\n", ["1: x,y'|say \"hi\"'|'", "2: |"]),
            ("\"two\nlines\",1\n\"two\r\nmore\",2\nend", ["1: two\nlines'|1", "3: two\r\nmore'|2", "5: end"]),
            ("a\"b,c\"\n", ["1: a\"b|c\""]),
            ("\"a\"b,c\n1\n", ["1: text behind a closing quote", "2: 1"]),
            ("1\n\"open,2\n3\n", ["1: 1", "2: a quote is never closed"]),
            (
                "1\n" + String(repeating: "x", count: 41) + ",y\n2\n", ["1: 1", "2: is longer than 40 bytes", "3: 2"]
            ),
            ("\"\"", ["1: '"]), ("", []), ("\n", []), ("é,ü", ["1: é|ü"]),
        ] as [(String, [String])])
    func cut(text: String, expected: [String]) {
        let bytes = Array(text.utf8)
        #expect(parse(bytes, pieces: []) == expected)
        #expect(parse(bytes, pieces: Array(bytes.indices)) == expected)
        for place in bytes.indices { #expect(parse(bytes, pieces: [place]) == expected, "cut at \(place)") }
    }
}
