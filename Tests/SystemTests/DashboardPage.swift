import Foundation
import TestSupport
import Testing

/// An edge's dashboard in headless Chromium, by a process in Python that takes commands. Used from one thread.
final class DashboardPage {
    /// What the page says of itself, and what Chromium says against it.
    struct Answer: Decodable {
        var ok: Bool
        var message: String?
        var state: String?
        /// Rows that came over the connection; without those that were there before.
        var rows: Int?
        var cameras: Int?
        var resumed: Int?
        var gaps: Int?
        var repeats: Int?
        var errors: [String]?
        /// How much is kept in localStorage, sessionStorage and cookies.
        var kept: [Int]?
        /// What the button to sign in or out says, and why the form was refused.
        var button: String?
        var refusal: String?
        /// What an EventSource was told.
        var subscriptions: Int?
        var numbers: [Int]?
        /// Of the marker that was asked for: latitude, longitude.
        var place: [Double]?
    }

    private let process = Process()
    private let input = Pipe()
    private let outputPath: String
    private let fleet: Fleet
    private var asked = 0

    init(_ url: String, _ fleet: Fleet) throws {
        self.fleet = fleet
        outputPath = "\(fleet.folder)/dashboard.out"
        let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Clients/dashboard.py").path
        process.executableURL = URL(filePath: "/usr/bin/python3")
        process.arguments = [script, url]
        process.standardInput = input
        try process.run(output: outputPath)
        try input.fileHandleForReading.close()
    }

    /// The end of its input ends the process, and with it Chromium.
    deinit {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    /// Gives a command, which waits for what it asks for, and returns its answer; one that fails is an issue.
    @discardableResult
    func ask(_ command: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> Answer {
        try input.fileHandleForWriting.write(contentsOf: Data("\(command)\n".utf8))
        asked += 1
        var lines: [Substring] = []
        try fleet.wait("an answer to '\(command)'", seconds: 150) {
            try #require(process.isRunning, "needs Debian's chromium, chromium-driver and python3-selenium")
            let text = (try? String(contentsOfFile: outputPath, encoding: .utf8)) ?? ""
            guard text.last == "\n" else { return false }
            lines = text.split(separator: "\n")
            return lines.count >= asked
        }
        let answer = try JSONDecoder().decode(Answer.self, from: Data(lines[asked - 1].utf8))
        try #require(answer.ok, "\(answer.message ?? "")", sourceLocation: sourceLocation)
        return answer
    }
}
