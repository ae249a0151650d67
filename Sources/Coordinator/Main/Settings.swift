import Common
import CoordinatorCore
import Foundation

/// Where a command finds its fleet: read from the options that every command takes.
struct Settings {
    let sources: ConfigurationSources

    init(_ arguments: inout Arguments) throws {
        var flags = ConfigurationSources.Flags()
        flags.config = try arguments.option("--config")
        flags.envFile = try arguments.option("--env-file")
        flags.runtimeFolder = try arguments.option("--runtime-dir")
        let isStart = arguments.command == "coordinator start"
        flags.shards = isStart ? try arguments.number("--shards") : nil
        flags.metrics = isStart ? try arguments.option("--metrics") : nil
        flags.addsColumns = arguments.flag("--allow-add-columns")
        sources = try ConfigurationSources(flags, environment: ProcessInfo.processInfo.environment)
    }

    func configuration() throws -> CoordinatorConfiguration {
        try sources.configuration(workerExecutable: Self.sibling("shard-worker"))
    }

    func client() throws -> ControlClient { try ControlClient(runtimeFolder: sources.runtimeFolder()) }

    /// An executable beside this one.
    static func sibling(_ name: String) throws -> String {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(filePath: own).deletingLastPathComponent().appending(path: name).path
    }

    /// Who runs the command, for the audit.
    static var user: String { NSUserName() }
}

func printJSON(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    print(String(decoding: try encoder.encode(value), as: UTF8.self))
}
