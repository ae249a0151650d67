import Common
import CoordinatorCore
import Foundation

/// A fleet that goes on when its terminal is gone.
enum Detached {
    private static let startLimit = Duration.seconds(60)

    /// Starts this command again without `--detach`, and returns when the fleet answers.
    static func start(_ runtimeFolder: String) throws -> ExitCode {
        try FileManager.default.createDirectory(atPath: runtimeFolder, withIntermediateDirectories: true)
        let log = runtimeFolder + "/coordinator.log"
        _ = FileManager.default.createFile(atPath: log, contents: nil, attributes: [.posixPermissions: 0o600])
        guard let output = FileHandle(forWritingAtPath: log) else {
            throw StartError("\(log): can't be written", .unavailable)
        }
        let process = Process()
        process.executableURL = URL(filePath: try Settings.sibling("coordinator"))
        process.arguments = CommandLine.arguments.dropFirst().filter { $0 != "--detach" }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let deadline = ContinuousClock.now + startLimit
        while ContinuousClock.now < deadline {
            guard process.isRunning else {
                let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
                FileHandle.standardError.write(Data(text.utf8))
                return ExitCode(rawValue: process.terminationStatus) ?? .internalError
            }
            if let client = try? ControlClient(runtimeFolder: runtimeFolder),
                case .status(let report)? = try? client.ask(.status, timeout: .seconds(1)),
                report.pid == process.processIdentifier
            {
                print("pid \(report.pid), log \(log)")
                return .success
            }
            Thread.sleep(forTimeInterval: 0.05)
        }
        throw StartError("the coordinator (pid \(process.processIdentifier)) does not answer; see \(log)", .unavailable)
    }
}
