import Foundation

/// Where a text stops being JSON.
struct SyntaxMistake: CustomStringConvertible {
    /// Both from 1; a column is a character of its line.
    let line: Int
    let column: Int
    private let what: String

    /// Nil when the text is JSON.
    init?(in data: Data) {
        do {
            _ = try JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed)
            return nil
        } catch {
            // Foundation tells the byte in its words only ("Invalid value around character 18."); without one it is the end.
            let words = (error as NSError).userInfo["NSDebugDescription"] as? String ?? "this is not JSON"
            let offset = words.split { !$0.isNumber }.last.flatMap { Int($0) }
            let before = String(decoding: data.prefix(offset ?? data.count), as: UTF8.self)
            let lines = before.split(separator: "\n", omittingEmptySubsequences: false)
            (line, column) = (lines.count, (lines.last?.count ?? 0) + 1)
            what = offset == nil ? "the text ends before the JSON does" : Self.describe(data, offset!, words)
        }
    }

    private static func describe(_ data: Data, _ offset: Int, _ words: String) -> String {
        let rest = String(decoding: data.dropFirst(offset).prefix(16), as: UTF8.self)
        guard words.hasPrefix("Invalid value"), let found = rest.first else {
            return words.split(separator: " around ").first.map { $0.lowercased() } ?? words
        }
        if rest.hasPrefix("//") || rest.hasPrefix("/*") || found == "#" { return "JSON has no comments" }
        if found == "'" { return "JSON has double quotes only" }
        return found == "\"" || found == "{" || found == "["
            ? "'\(found)' is not expected here: is a comma missing before it?" : "'\(found)' is not expected here"
    }

    var description: String { "line \(line), column \(column): \(what)" }
}
