import Common
import Feed
import Foundation

/// Rows as CSV (RFC 4180) with a header. Null is nothing, an empty text is two quotes.
struct CSVText {
    private(set) var bytes: [UInt8]

    init(_ rows: [[UInt8]], _ stream: StreamDefinition) {
        bytes = Array(stream.columns.map { Self.quoted($0.name) }.joined(separator: ",").utf8) + Self.end
        let fields = RowFields(stream, stream.columns.indices)
        for row in rows {
            var values: [String] = []
            fields.forEach(row) { values.append(Self.field($1)) }
            bytes += Array(values.joined(separator: ",").utf8) + Self.end
        }
    }

    private static let end = Array("\r\n".utf8)

    private static func field(_ json: UnsafeRawBufferPointer) -> String {
        if json.first == UInt8(ascii: "\""), let text = try? JSONDecoder().decode(String.self, from: Data(json)) {
            return quoted(text)
        }
        let text = String(decoding: json, as: UTF8.self)
        return text == "null" ? "" : text
    }

    private static func quoted(_ text: String) -> String {
        let isPlain = !text.isEmpty && !text.contains { $0 == "," || $0 == "\"" || $0.isNewline }
        return isPlain ? text : "\"\(text.replacing("\"", with: "\"\""))\""
    }
}
