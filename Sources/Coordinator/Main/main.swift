import Common
import CoordinatorCore
import Foundation

func fail(_ text: String, _ code: ExitCode) -> Never {
    FileHandle.standardError.write(Data("coordinator: \(text)\n".utf8))
    exit(code.rawValue)
}

let words = Array(CommandLine.arguments.dropFirst())
guard let name = words.first, !["--help", "-h", "help"].contains(name) else {
    print(Command.overview, terminator: "")
    exit(words.isEmpty ? ExitCode.usage.rawValue : ExitCode.success.rawValue)
}
do {
    if let status = try HiddenCommand.run(name, Array(words.dropFirst())) { exit(status) }
} catch let error as StartError {
    fail("\(name): \(error)", error.exitCode)
}
guard let command = Command.all.first(where: { $0.name == name }) else {
    fail("there is no command '\(name)'; see: coordinator --help", .usage)
}
var arguments = Arguments(Array(words.dropFirst()), command: "coordinator \(name)")
if arguments.flag("--help") || arguments.flag("-h") {
    print(command.help, terminator: "")
    exit(ExitCode.success.rawValue)
}
do {
    let settings = try Settings(&arguments)
    let code = try command.run(&arguments, settings)
    settings.end()
    exit(code.rawValue)
} catch {
    let code = (error as? StartError)?.exitCode ?? .internalError
    // The end of a fleet is the last line of its log; what ends another command is its answer.
    guard name == "start", code != .usage else { fail("\(error)", code) }
    Log.standard.say("\(error)", .error)
    exit(code.rawValue)
}
