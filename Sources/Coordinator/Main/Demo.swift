import Common
import CoordinatorCore

/// `start --demo`: the command that makes records all the time.
enum Demo {
    private static let rate = 200
    /// Those that `produce` knows how to make.
    private static let streams = ["traffic_data", "stocks"]

    static func words(_ configuration: CoordinatorConfiguration, _ settings: Settings) throws -> [String] {
        let known = streams.filter { name in configuration.streams.contains { $0.name == name } }
        guard !known.isEmpty else {
            throw StartError(
                "--demo makes records of \(streams.joined(separator: " and ")); no such stream is configured", .usage)
        }
        return [
            "produce", "--rate", String(rate), "--streams", known.joined(separator: ","), "--runtime-dir",
            configuration.runtimeFolder,
        ] + settings.words
    }
}
