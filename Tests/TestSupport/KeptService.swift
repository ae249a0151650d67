internal import Foundation

/// A server that ends with this value, or with the test process, whatever ended that: its keeper waits for the end of its
/// standard input, of which this process holds the other side.
package final class KeptService: Sendable {
    private let input: Pipe
    private let keeper: Process

    /// - Parameters:
    ///   - start: a shell command that runs the server in the foreground of the keeper's background.
    ///   - stop: a shell command that ends it; `$server` is its pid.
    package init(start: String, stop: String) throws {
        input = Pipe()
        keeper = Process()
        keeper.executableURL = URL(filePath: "/bin/sh")
        keeper.arguments = ["-c", "{ \(start); } </dev/null >/dev/null 2>&1 & server=$!; cat >/dev/null; \(stop)"]
        keeper.standardInput = input
        try keeper.run()
        // The child has its own copy of the reading end.
        try input.fileHandleForReading.close()
    }

    /// With its owner, so that a test of many servers has few at a time.
    deinit {
        try? input.fileHandleForWriting.close()
        keeper.waitUntilExit()
    }
}

/// Runs a command to its end and returns what it printed.
@discardableResult
package func shell(_ command: String) throws -> String {
    let output = Pipe()
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-c", command]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    let text = String(decoding: data, as: UTF8.self)
    guard process.terminationStatus == 0 else { throw ShellFailure(command: command, output: text) }
    return text.trimmingCharacters(in: .whitespacesAndNewlines)
}

package struct ShellFailure: Error {
    package let command: String
    package let output: String

    package init(command: String, output: String) {
        self.command = command
        self.output = output
    }
}
