import Foundation
import TestSupport
import Testing

/// A client in a process of its own, in Python, that follows a stream and resumes by itself. Used from one thread.
final class EdgeClient {
    private let process = Process()
    private let folder: String
    private var edgesPath: String { folder + "/edges" }
    private var outputPath: String { folder + "/output" }

    /// - Parameters:
    ///   - folder: its own; made here.
    ///   - script: which client.
    ///   - arguments: behind those that each has.
    init(
        _ stream: String, edges: [String], folder: String, script name: String = "follow.py", arguments: [String] = []
    ) throws {
        self.folder = folder
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try setEdges(edges)
        let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Clients/\(name)").path
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", script, edgesPath, stream] + arguments
        process.standardInput = FileHandle.nullDevice
        try process.run(output: outputPath)
    }

    deinit { stop() }

    /// For its next connection.
    func setEdges(_ edges: [String]) throws {
        try edges.joined(separator: "\n").write(toFile: edgesPath, atomically: true, encoding: .utf8)
    }

    /// What comes after `word` in its whole lines.
    private func lines(_ word: String) -> [String] {
        let text = (try? String(contentsOfFile: outputPath, encoding: .utf8)) ?? ""
        guard let end = text.lastIndex(of: "\n") else { return [] }
        let whole = text[...end]
        return whole.split(separator: "\n").filter { $0.hasPrefix(word + " ") }.map {
            String($0.dropFirst(word.count + 1))
        }
    }

    /// Each row that it saw, as canonical JSON, in the order in which they came.
    var rows: [String] { lines("row") }
    /// `URL True|False`, once a life.
    var subscriptions: [String] { lines("subscribed") }
    var resets: [String] { lines("reset") }

    /// What a drained edge said, of a client of events.
    var farewells: [String] { lines("goaway") }
    /// Statuses that ended a client of events.
    var refusals: [String] { lines("refused") }

    var isRunning: Bool { process.isRunning }

    func stop() {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
    }
}
