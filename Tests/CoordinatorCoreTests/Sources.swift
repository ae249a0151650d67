import CoordinatorCore
import Foundation

/// What a configuration of these texts says.
func sources(
    _ text: String = "{}", envFile: String? = nil, shards: Int32? = nil, environment: [String: String] = [:]
) throws -> ConfigurationSources {
    let folder = FileManager.default.temporaryDirectory.appending(path: "mr-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    var flags = ConfigurationSources.Flags()
    flags.config = folder.appending(path: "Config.json").path
    try text.write(toFile: flags.config!, atomically: false, encoding: .utf8)
    if let envFile {
        flags.envFile = folder.appending(path: "env").path
        try envFile.write(toFile: flags.envFile!, atomically: false, encoding: .utf8)
    }
    flags.shards = shards
    return try ConfigurationSources(flags, environment: environment)
}
