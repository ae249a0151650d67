import Common
import Foundation
import WSEdgeCore

let words = Array(CommandLine.arguments.dropFirst())
if words.contains(where: { ["--help", "-h"].contains($0) }) {
    print(EdgeSettings.help, terminator: "")
    exit(ExitCode.success.rawValue)
}
do {
    let settings = try EdgeSettings(words, environment: ProcessInfo.processInfo.environment)
    exit(try EdgeProcess.run(settings).rawValue)
} catch {
    FileHandle.standardError.write(Data("ws-edge: \(error)\n".utf8))
    exit((error as? StartError)?.exitCode.rawValue ?? ExitCode.internalError.rawValue)
}
