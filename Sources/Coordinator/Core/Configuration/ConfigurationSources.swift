package import Common
import Foundation
import Postgres

/// Puts a fleet's configuration together: flags before the environment, before `.env`, before Config.json.
package struct ConfigurationSources {
    /// What was given as flags.
    package struct Flags: Sendable {
        package var config: String?
        package var envFile: String?
        package var shards: Int32?
        package var runtimeFolder: String?
        package var addsColumns = false
        package var waits = false
        package var metrics: String?
        package var edges: Int32?
        package var edgeHost: String?
        package var edgePort: UInt16?
        /// `apache` or `mock`.
        package var embeddedKafka: String?
        package var isOpen = false
        package var group: String?
        package var member: String?

        package init() {}
    }

    package private(set) var environment: [String: String]
    let flags: Flags
    let file: ConfigurationFile

    /// - Parameter environment: the process's own.
    package init(_ flags: Flags, environment: [String: String]) throws(StartError) {
        self.flags = flags
        self.environment = environment
        let envFile = flags.envFile ?? ".env"
        if flags.envFile != nil || FileManager.default.fileExists(atPath: envFile) {
            for (name, value) in try EnvironmentFile(envFile).values where environment[name] == nil {
                self.environment[name] = value
            }
        }
        try OwnVariables.check(self.environment, libpq: ConnectionString.variables.keys)
        let path = flags.config ?? self.environment["MILLRACE_CONFIG"]
        file =
            if let path {
                try Self.readFile(path)
            } else if FileManager.default.fileExists(atPath: "Config.json") {
                try Self.readFile("Config.json")
            } else {
                ConfigurationFile()
            }
    }

    private static func readFile(_ path: String) throws(StartError) -> ConfigurationFile {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw StartError("configuration \(path): can't be read", .configuration)
        }
        if let mistake = SyntaxMistake(in: data) {
            throw StartError("configuration \(path): \(mistake)", .configuration)
        }
        do {
            let file = try JSONDecoder().decode(ConfigurationFile.self, from: data)
            let unknown = UnknownKeys.find(in: data, taken: file)
            guard unknown.isEmpty else {
                throw StartError(
                    "configuration \(path): there is no \(unknown.joined(separator: ", "))", .configuration)
            }
            return file
        } catch let error as StartError {
            throw error
        } catch let error as DecodingError {
            throw StartError("configuration \(path): \(describe(error))", .configuration)
        } catch {
            throw StartError("configuration \(path): \(error.localizedDescription)", .configuration)
        }
    }

    private static func describe(_ error: DecodingError) -> String {
        func place(_ context: DecodingError.Context) -> String {
            context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }.joined()
        }
        return switch error {
        case .keyNotFound(let key, let context): "\(place(context)): '\(key.stringValue)' is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            "\(place(context)): \(context.debugDescription)"
        @unknown default: "\(error)"
        }
    }

    func variable(_ name: String) throws(StartError) -> String? {
        try ConnectionVariables.value(name, in: environment)
    }

    package func runtimeFolder() throws(StartError) -> String {
        let variable = try variable("MILLRACE_RUNTIME_DIR")
        let given = flags.runtimeFolder ?? variable ?? file.runtimeDir ?? ".millrace"
        return URL(filePath: given).standardizedFileURL.path
    }

    /// - Parameter workerExecutable: beside the coordinator's own.
    package func configuration(workerExecutable: String) throws(StartError) -> CoordinatorConfiguration {
        let offsetReset = try self.offsetReset()
        let shards = try number("MILLRACE_SHARDS")
        let schema = try self.schema()
        let streams = try streams(besides: schema)
        var configuration = CoordinatorConfiguration(
            shards: flags.shards ?? shards ?? file.shards ?? 4, streams: streams, kafka: try kafka(),
            postgres: try postgres(), schema: schema,
            runtimeFolder: try runtimeFolder(), workerExecutable: workerExecutable, offsetReset: offsetReset)
        configuration.keepsScale = flags.shards == nil
        configuration.addsColumns = flags.addsColumns
        let waits = try flag("MILLRACE_WAIT")
        configuration.waitsAtStart = flags.waits || waits
        configuration.controlAddress = try variable("MILLRACE_CONTROL_ADDRESS") ?? file.control
        configuration.advertisedHost = try variable("MILLRACE_ADVERTISE_HOST") ?? file.advertiseHost
        if configuration.advertisedHost != nil, configuration.controlAddress == nil {
            throw StartError(
                "advertise_host needs control too: edges on other hosts ask there where the feeds are", .configuration)
        }
        configuration.batchRowLimit = try limit("batch_rows", file.batchRows) ?? configuration.batchRowLimit
        configuration.breakerRecordCount =
            try limit("breaker_records", file.breakerRecords) ?? configuration.breakerRecordCount
        configuration.group = try group()
        configuration.metrics = try metricsAddress()
        configuration.edges = try edges()
        let isOpen = try flag("MILLRACE_OPEN")
        configuration.edges.isOpen = flags.isOpen || isOpen || file.open ?? false
        configuration.issuers = try issuers()
        configuration.tokenKeys = try tokenKeys()
        configuration.foldAfter = file.foldLedgerAfter ?? configuration.foldAfter
        configuration.keepChanges = file.keepChanges ?? configuration.keepChanges
        guard (1...1000).contains(configuration.shards) else {
            throw StartError("shards must be 1 to 1000, not \(configuration.shards)", .usage)
        }
        return configuration
    }

    private func offsetReset() throws(StartError) -> CoordinatorConfiguration.OffsetReset {
        guard let word = try variable("KAFKA_OFFSET_RESET") else { return file.offsetReset ?? .earliest }
        guard let reset = CoordinatorConfiguration.OffsetReset(rawValue: word) else {
            throw StartError(
                "KAFKA_OFFSET_RESET is '\(word)'; it must be \(CoordinatorConfiguration.OffsetReset.list)",
                .configuration)
        }
        return reset
    }

    private func metricsAddress() throws(StartError) -> ListenAddress? {
        let variable = try variable("MILLRACE_METRICS")
        guard let text = flags.metrics ?? variable ?? file.metrics else { return nil }
        guard let address = ListenAddress(text) else {
            throw StartError("metrics is '\(text)'; it must be HOST:PORT, like 127.0.0.1:9464", .configuration)
        }
        return address
    }

    private func flag(_ name: String) throws(StartError) -> Bool {
        guard let text = try variable(name) else { return false }
        switch text {
        case "true", "1": return true
        case "false", "0": return false
        default: throw StartError("\(name) is '\(text)'; it must be true or false", .configuration)
        }
    }

    func number(_ name: String) throws(StartError) -> Int32? {
        guard let text = try variable(name) else { return nil }
        guard let number = Int32(text) else { throw StartError("\(name) is '\(text)', not a number", .configuration) }
        return number
    }
}
