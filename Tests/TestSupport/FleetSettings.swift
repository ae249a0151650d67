package import Common
package import Foundation

/// What the tests and the benchmark hand to the coordinator's test process, in one environment variable.
package struct FleetSettings: Codable {
    package static let variable = "FLEET_SETTINGS"

    package var shards: Int32
    package var streams: [StreamDefinition]
    package var kafka: [String: String]
    package var postgres: [String: String]
    package var folder: String
    package var worker: String
    /// KAFKA_OFFSET_RESET; nil for the default.
    package var offsetReset: String?
    /// `--new-cluster`
    package var beginsOnNewCluster = false
    /// `--group` and `--member`
    package var group: String?
    package var member: String?
    package var maintenanceSeconds: Double?
    package var controlAddress: String?
    package var advertisedHost: String?
    /// The command in front of it, such as one that enters a network namespace.
    package var prefix: [String] = []

    /// - Parameter binaries: the folder of the built executables.
    package init(
        shards: Int32, stream: StreamDefinition, kafka: [String: String], postgres: [String: String], folder: String,
        binaries: URL, offsetReset: String? = nil
    ) {
        self.shards = shards
        streams = [stream]
        self.kafka = kafka
        self.postgres = postgres
        self.folder = folder
        self.offsetReset = offsetReset
        worker = binaries.appending(path: "shard-worker").path
    }

    /// The settings of this process.
    package static func fromEnvironment() throws -> FleetSettings {
        let text = ProcessInfo.processInfo.environment[variable] ?? ""
        return try JSONDecoder().decode(FleetSettings.self, from: Data(text.utf8))
    }

    /// A coordinator process that is not started yet.
    package func process(binaries: URL) throws -> Process {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = prefix + [binaries.appending(path: "fleet-under-test").path]
        process.environment = [
            Self.variable: String(decoding: try JSONEncoder().encode(self), as: UTF8.self),
            // A crash is an exit at once.
            "SWIFT_BACKTRACE": "enable=no",
        ]
        process.standardInput = FileHandle.nullDevice
        return process
    }
}
