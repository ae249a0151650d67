import Common
import CoordinatorCore
import Foundation

/// Where a command finds its fleet: read from the options that every command takes.
struct Settings {
    let sources: ConfigurationSources
    /// The options as they were given, for commands of this program that find the same configuration.
    let words: [String]
    private let idle = IdleServices()

    init(_ arguments: inout Arguments) throws {
        var flags = ConfigurationSources.Flags()
        flags.config = try arguments.option("--config")
        flags.envFile = try arguments.option("--env-file")
        flags.runtimeFolder = try arguments.option("--runtime-dir")
        let isStart = arguments.command == "coordinator start"
        flags.shards = isStart ? try arguments.number("--shards") : nil
        flags.metrics = isStart ? try arguments.option("--metrics") : nil
        flags.edges = isStart ? try arguments.number("--edges") : nil
        flags.edgeHost = isStart ? try arguments.option("--edge-host") : nil
        flags.edgePort = isStart ? try arguments.number("--edge-port") : nil
        flags.embeddedKafka = isStart ? try arguments.option("--embedded-kafka") : nil
        flags.isOpen = isStart && arguments.flag("--open")
        flags.waits = isStart && arguments.flag("--wait")
        flags.group = isStart ? try arguments.option("--group") : nil
        flags.member = isStart ? try arguments.option("--member") : nil
        flags.addsColumns = arguments.flag("--allow-add-columns")
        words = [("--config", flags.config), ("--env-file", flags.envFile)].flatMap { name, value in
            value.map { [name, $0] } ?? []
        }
        sources = try ConfigurationSources(flags, environment: ProcessInfo.processInfo.environment)
        // Also from `.env`, and for children: nothing has been logged yet, and there is one thread.
        if let form = sources.environment[Log.variable] { setenv(Log.variable, form, 1) }
        _ = try Log.form(in: sources.environment)
    }

    /// With what nothing says taken from the fleet that runs in the runtime folder, or from the services that one left there.
    func configuration(_ needs: ServiceNeeds = .both) throws -> CoordinatorConfiguration {
        var configuration = try written()
        if try !idle.bringUp(&configuration, needs) { try configuration.takeWhatIsMissing(fromFleet: client, needs) }
        return configuration
    }

    /// The command is done.
    func end() { idle.end() }

    /// With what nothing says brought up by the fleet itself.
    func startConfiguration() throws -> CoordinatorConfiguration {
        var configuration = try written()
        configuration.embedWhatIsMissing(kafka: try sources.embeddedKafka())
        return configuration
    }

    /// As flags, environment and files say it: Kafka and Postgres may be missing.
    func written() throws -> CoordinatorConfiguration {
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
