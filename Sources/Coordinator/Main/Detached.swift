import Common
import CoordinatorCore
import Foundation

/// A fleet that goes on when its terminal is gone.
enum Detached {
    private static let startLimit = Duration.seconds(60)
    /// With services of its own.
    private static let embeddedStartLimit = Duration.seconds(300)

    /// Starts this command again without `--detach`, and returns when the fleet answers. What it says until then is said
    /// here too.
    static func start(_ configuration: CoordinatorConfiguration) throws -> ExitCode {
        let runtimeFolder = configuration.runtimeFolder
        let isEmbedding = configuration.embedded != EmbeddedPlan()
        try RuntimeFolder.make(runtimeFolder)
        try RuntimeFolder.requireFree(runtimeFolder)
        let log = runtimeFolder + "/coordinator.log"
        let output = try LogFile.open(log)
        let input = FileHandle(forReadingAtPath: log)
        _ = try input?.seekToEnd()
        let process = Process()
        process.executableURL = URL(filePath: try Settings.sibling("coordinator"))
        process.arguments = CommandLine.arguments.dropFirst().filter { $0 != "--detach" }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        try process.run()
        func relay() {
            if let data = try? input?.readToEnd() { FileHandle.standardError.write(data) }
        }
        let deadline = ContinuousClock.now + (isEmbedding ? embeddedStartLimit : startLimit)
        while ContinuousClock.now < deadline {
            guard process.isRunning else {
                relay()
                return ExitCode(rawValue: process.terminationStatus) ?? .internalError
            }
            if let client = try? ControlClient(runtimeFolder: runtimeFolder),
                case .status(let report)? = try? client.ask(.status, timeout: .seconds(1)),
                report.pid == process.processIdentifier
            {
                if isEmbedding { relay() }
                print("pid \(report.pid), log \(log)")
                return .success
            }
            if isEmbedding { relay() }
            // The fleet that starts tells nobody by itself how far it is.
            Thread.sleep(forTimeInterval: 0.05)
        }
        throw StartError("the coordinator (pid \(process.processIdentifier)) does not answer; see \(log)", .unavailable)
    }
}
