import Foundation
import TestSupport
import Testing

/// A hundred clients of an edge that come at once, from the beginning of a stream. Used from one thread.
final class EdgeCrowd {
    static let count = 100
    private let process = Process()
    private let folder: String

    /// - Parameter folder: its own; made here.
    init(_ stream: String, edge: String, folder: String) throws {
        self.folder = folder
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Clients/resume.py").path
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", script, edge, stream, String(Self.count), folder + "/ends"]
        process.standardInput = FileHandle.nullDevice
        try process.run(output: folder + "/output")
    }

    deinit { stop() }

    func stop() {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
    }

    /// They end once they have come so far.
    /// - Parameter ends: by source, as JSON.
    func finish(at ends: String) throws {
        try ends.write(toFile: folder + "/ends", atomically: true, encoding: .utf8)
    }

    var isRunning: Bool { process.isRunning }

    /// What they say, the first one's rows apart.
    var result: (rows: [String], words: [String]) {
        let text = (try? String(contentsOfFile: folder + "/output", encoding: .utf8)) ?? ""
        let lines = text.split(separator: "\n").map(String.init)
        return (
            lines.filter { $0.hasPrefix("row ") }.map { String($0.dropFirst(4)) },
            lines.filter { !$0.hasPrefix("row ") }
        )
    }
}
