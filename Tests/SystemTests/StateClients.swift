import Foundation
import TestSupport
import Testing

/// Many clients of a stream, each moved at random from edge to edge, in Python. Used from one thread.
final class StateClients {
    private let process = Process()
    private let folder: String
    private let count: Int

    /// Which of Tests/Clients, with what it wants to know.
    enum Kind {
        /// The table, by the column that is its key; by Server-Sent Events with `event_states.py`.
        case table(key: String, script: String = "state.py")
        /// Numbers from the beginning.
        case log(epoch: String, partitions: Int32)
    }

    /// - Parameters:
    ///   - requests: members of a subscription, as JSON; clients have them in turns.
    ///   - folder: its own; made here.
    init(
        _ stream: String, _ kind: Kind, _ requests: [String], count: Int, edges: [String], folder: String
    ) throws {
        self.folder = folder
        self.count = count
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try requests.joined(separator: "\n").write(toFile: folder + "/requests", atomically: true, encoding: .utf8)
        try setEdges(edges)
        let scripts = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Clients").path
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments =
            switch kind {
            case .table(let key, let script):
                ["python3", "\(scripts)/\(script)", folder + "/edges", stream, key, String(count), folder + "/stop"]
            case .log(let epoch, let partitions):
                [
                    "python3", scripts + "/log.py", folder + "/edges", stream, epoch, String(count), folder + "/stop",
                    String(partitions),
                ]
            }
        let input = try FileHandle(forReadingFrom: URL(filePath: folder + "/requests"))
        defer { try? input.close() }
        process.standardInput = input
        try process.run(output: folder + "/output", errors: folder + "/errors")
    }

    deinit { stop() }

    func stop() {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
    }

    /// For their next connections.
    func setEdges(_ edges: [String]) throws {
        try edges.joined(separator: "\n").write(toFile: folder + "/edges", atomically: true, encoding: .utf8)
    }

    /// They end once they have come so far.
    /// - Parameter ends: by source, as JSON.
    func finish(at ends: String) throws {
        try ends.write(toFile: folder + "/stop", atomically: true, encoding: .utf8)
    }

    var isRunning: Bool { process.isRunning }
    var errors: String { (try? String(contentsOfFile: folder + "/errors", encoding: .utf8)) ?? "" }

    private func lines(_ word: String) -> [Substring] {
        let text = (try? String(contentsOfFile: folder + "/output", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").filter { $0.hasPrefix(word + " ") }
    }

    /// By the client's number: what it has at the end, as JSON.
    var states: [Int: String] {
        var states: [Int: String] = [:]
        for line in lines("state") {
            let parts = line.split(separator: " ", maxSplits: 2)
            states[Int(parts[1])!] = String(parts[2])
        }
        return states
    }

    var gaps: [String] { lines("gap").map(String.init) }

    /// Of a log whose partitions have n of `0..<perPartition` each, by clients that follow one partition: each has its rows once and
    /// in their order. They end with that.
    func expectAll(
        of fleet: Fleet, perPartition: Int, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try finish(at: try fleet.rows("SELECT json_object_agg(id, next_offset) FROM millrace.source")[0])
        try fleet.wait("the churned clients; \(states.count) are at the end; \(errors)", seconds: 300) { !isRunning }
        #expect(errors == "" && gaps == [], sourceLocation: sourceLocation)
        let sum = perPartition * (perPartition - 1) / 2
        let all = #"{"rows": \#(perPartition), "sum": \#(sum), "faults": []}"#
        #expect(
            states == Dictionary(uniqueKeysWithValues: (0..<count).map { ($0, all) }), sourceLocation: sourceLocation)
    }
}
