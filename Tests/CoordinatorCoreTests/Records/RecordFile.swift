import Common
import Foundation

@testable import CoordinatorCore

/// A file for a test, and what a source makes of it.
final class RecordFile {
    let path: String

    init(_ text: String, ending: String = "csv") throws {
        path = "/tmp/millrace-records-\(UUID().uuidString).\(ending)"
        try Data(text.utf8).write(to: URL(filePath: path))
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// `key=value` of each record, and `line: reason` of what is none.
    static func read(_ source: any RecordSource) throws -> [String] {
        var found: [String] = []
        while true {
            do {
                let step = try source.next { record in
                    let key = record.key.map { String(decoding: $0, as: UTF8.self) } ?? "-"
                    found.append("\(key)=\(String(decoding: record.value, as: UTF8.self))")
                }
                if case .end = step { return found }
            } catch let line as BadLine {
                found.append("\(line.line): \(line.reason)")
            }
        }
    }
}
