import Common
import Foundation

/// Kafka headers as JSON: `[["name","text"],["name",null],["name",{"hex":"00ff"}]]`, in their order, since names may
/// repeat. What isn't UTF-8, or holds NUL, which jsonb can't, is written as hex.
enum HeaderJSON {
    static func write(_ headers: [(name: String, value: UnsafeRawBufferPointer)], to writer: inout ByteWriter) {
        writer.append("[")
        for (index, header) in headers.enumerated() {
            writer.append(index == 0 ? "[" : ",[")
            CanonicalJSON.write(string: header.name.replacing("\0", with: "\u{FFFD}"), to: &writer)
            writer.append(",")
            if header.value.baseAddress == nil {
                writer.append("null")
            } else if let text = String(validating: header.value, as: UTF8.self), !text.utf8.contains(0) {
                CanonicalJSON.write(string: text, to: &writer)
            } else {
                writer.append(#"{"hex":""#)
                HexBytes(bytes: Array(header.value)).write(to: &writer)
                writer.append(#""}"#)
            }
            writer.append("]")
        }
        writer.append("]")
    }

    /// What `write` wrote and Postgres kept. Nothing where it is nil or something else.
    static func read(_ text: String?) -> StoredHeaders {
        var headers = StoredHeaders()
        guard let text, let list = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[Any]] else {
            return headers
        }
        for pair in list where pair.count == 2 {
            guard let name = pair[0] as? String else { continue }
            switch pair[1] {
            case let value as String: headers.append(name, Array(value.utf8))
            case let value as [String: String]: headers.append(name, value["hex"].flatMap(HexBytes.init)?.bytes)
            default: headers.append(name, nil)
            }
        }
        return headers
    }
}
