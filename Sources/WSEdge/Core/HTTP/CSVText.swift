import Common
import Feed
import Foundation

/// Rows as CSV (RFC 4180) with a header. Null is nothing, an empty text is two quotes.
struct CSVText {
    private(set) var bytes: [UInt8] = []

    init(_ rows: [[UInt8]], _ stream: StreamDefinition) {
        for (index, column) in stream.columns.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            add(Array(column.name.utf8))
        }
        endLine()
        let fields = RowFields(stream, stream.columns.indices)
        for row in rows {
            var isFirst = true
            fields.forEach(row) { _, json in
                if !isFirst { bytes.append(UInt8(ascii: ",")) }
                isFirst = false
                add(json: json)
            }
            endLine()
        }
    }

    private mutating func endLine() { bytes += [UInt8(ascii: "\r"), UInt8(ascii: "\n")] }

    private mutating func add(json: UnsafeRawBufferPointer) {
        guard json.first == UInt8(ascii: "\"") else {
            if !json.elementsEqual("null".utf8) { bytes += json }
            return
        }
        let isPlain = !json.contains(UInt8(ascii: "\\"))
        let text =
            isPlain
            ? Array(json.dropFirst().dropLast())
            : Array(((try? JSONDecoder().decode(String.self, from: Data(json))) ?? "").utf8)
        add(text)
    }

    /// By bytes: to Swift a comma or a quote may be a part of another character.
    private mutating func add(_ text: [UInt8]) {
        let special = [",", "\"", "\r", "\n"].map { UInt8(ascii: $0) }
        guard text.isEmpty || text.contains(where: special.contains) else {
            bytes += text
            return
        }
        bytes.append(UInt8(ascii: "\""))
        for byte in text {
            if byte == UInt8(ascii: "\"") { bytes.append(byte) }
            bytes.append(byte)
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
