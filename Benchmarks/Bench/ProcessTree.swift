import Foundation

/// A process and all below it.
enum ProcessTree {
    /// One line of /proc: proc_pid_stat(5).
    struct Entry {
        var pid: Int32
        var parent: Int32
        var name: String
        /// User and system, of its own and of whom it waited for.
        var seconds: Double
    }

    /// One that ends between two looks is counted by whom it leaves its time: looks are taken until two see the same processes.
    static func entries(below root: Int32) -> [Entry] {
        var entries = look(below: root)
        for _ in 0..<20 {
            let again = look(below: root)
            if Set(again.map(\.pid)) == Set(entries.map(\.pid)) { return again }
            entries = again
        }
        return entries
    }

    private static func look(below root: Int32) -> [Entry] {
        var all: [Int32: Entry] = [:]
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        for pid in ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap({ Int32($0) }) {
            // The name stands in parentheses, and may hold any.
            guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
                let open = stat.firstIndex(of: "("), let end = stat.lastIndex(of: ")")
            else { continue }
            let fields = stat[end...].split(separator: " ")
            let sum = fields[12...15].reduce(0) { $0 + (Double($1) ?? 0) }
            let name = String(stat[stat.index(after: open)..<end])
            all[pid] = Entry(pid: pid, parent: Int32(fields[2]) ?? 0, name: name, seconds: sum / ticks)
        }
        return all.values.filter { entry in
            var above = entry.pid
            // Bounded: a tree has no cycle, a table that changes while it is read may.
            for _ in 0..<64 where above != root && above > 1 { above = all[above]?.parent ?? 0 }
            return above == root
        }
    }

    /// The most memory, in megabytes, that one of the programs with a name had resident until now.
    static func mostMegabytes(_ name: String) -> Double {
        entries(below: getpid()).filter { $0.name == name }.compactMap { entry in
            let status = (try? String(contentsOfFile: "/proc/\(entry.pid)/status", encoding: .utf8)) ?? ""
            return status.firstMatch(of: /VmHWM:\s+(\d+) kB/).flatMap { Double($0.1) }.map { ($0 / 1024).rounded() }
        }.max() ?? 0
    }

    /// With SIGKILL, at one moment as far as that goes.
    static func kill(_ root: Int32) {
        for entry in entries(below: root) { Foundation.kill(entry.pid, SIGKILL) }
    }
}
