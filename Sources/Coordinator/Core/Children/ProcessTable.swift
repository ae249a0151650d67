import Foundation

/// What /proc tells of processes.
package enum ProcessTable {
    package static func children(of parent: Int32) -> [Int32] {
        pids.filter { self.parent(of: $0) == parent }
    }

    static var pids: [Int32] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }
    }

    /// Nil for one that is gone. proc_pid_stat(5): the second field after the name, which is in parentheses.
    private static func parent(of pid: Int32) -> Int32? {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        return fields.count > 1 ? Int32(fields[1]) : nil
    }

    /// Empty for one that is gone, or not ours to look at.
    static func arguments(of pid: Int32) -> [String] { strings("/proc/\(pid)/cmdline") }

    static func environment(of pid: Int32) -> [String] { strings("/proc/\(pid)/environ") }

    private static func strings(_ path: String) -> [String] {
        let data = (try? Data(contentsOf: URL(filePath: path))) ?? Data()
        return data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }
}
