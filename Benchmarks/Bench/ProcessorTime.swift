import Foundation

/// User and system seconds of a process and all below it, by the name of the program; of those that have ended, as long as who
/// waited for them lives.
struct ProcessorTime {
    private(set) var seconds: [String: Double] = [:]

    static var now: ProcessorTime { now(below: getpid()) }

    /// - Parameter root: whose processes count.
    static func now(below root: Int32) -> ProcessorTime {
        var time = ProcessorTime()
        for entry in ProcessTree.entries(below: root) { time.seconds[entry.name, default: 0] += entry.seconds }
        return time
    }

    var total: Double { seconds.values.reduce(0, +) }

    /// Since a moment, per million records. What didn't change is left out.
    func since(_ before: ProcessorTime, records: Int) -> [String: Double] {
        var result: [String: Double] = [:]
        for (name, value) in seconds {
            let spent = (value - (before.seconds[name] ?? 0)) / (Double(records) / 1e6)
            if spent > 0.005 { result[name] = (spent * 1000).rounded() / 1000 }
        }
        return result
    }
}
