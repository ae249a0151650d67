import Common
import Foundation

/// `.env`: `NAME=value` a line, as shells and containers read it. Values bare or in quotes; `export` before a name and
/// comments are passed over.
struct EnvironmentFile {
    /// A name that is there twice has its last value.
    let values: [String: String]

    init(_ path: String) throws(StartError) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw StartError("environment file \(path): can't be read", .configuration)
        }
        var text = Substring(String(decoding: data, as: UTF8.self))
        if text.first == "\u{FEFF}" { text.removeFirst() }
        var values: [String: String] = [:]
        for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            guard let (name, value) = Self.parse(String(line)) else {
                let line = line.trimmingCharacters(in: .whitespaces)
                guard !line.isEmpty, !line.hasPrefix("#") else { continue }
                // Not the line itself: it may be a secret.
                throw StartError("environment file \(path): line \(number + 1) is not NAME=value", .configuration)
            }
            values[name] = value
        }
        self.values = values
    }

    /// Nil for what is no `NAME=value`.
    private static func parse(_ line: String) -> (name: String, value: String)? {
        let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        var name = parts[0].trimmingCharacters(in: .whitespaces)
        if name.hasPrefix("export ") { name = name.dropFirst(7).trimmingCharacters(in: .whitespaces) }
        guard let first = name.first, first.isLetter || first == "_",
            name.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" })
        else { return nil }
        return (name, value(parts[1].trimmingCharacters(in: .whitespaces)))
    }

    /// Of a bare value a comment is what follows a space and `#`; of one in quotes what follows them.
    private static func value(_ text: String) -> String {
        if let quote = text.first, quote == "\"" || quote == "'", let end = text.dropFirst().firstIndex(of: quote) {
            let rest = text[text.index(after: end)...].trimmingCharacters(in: .whitespaces)
            if rest.isEmpty || rest.hasPrefix("#") { return String(text[text.index(after: text.startIndex)..<end]) }
        }
        guard let comment = text.range(of: #"\s#"#, options: .regularExpression) else { return text }
        return text[..<comment.lowerBound].trimmingCharacters(in: .whitespaces)
    }
}
