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
} catch let error as StartError where error.exitCode == .usage {
    FileHandle.standardError.write(Data("ws-edge: \(error)\n".utf8))
    exit(error.exitCode.rawValue)
} catch {
    Log.standard.say("\(error)", .error)
    exit((error as? StartError)?.exitCode.rawValue ?? ExitCode.internalError.rawValue)
}
