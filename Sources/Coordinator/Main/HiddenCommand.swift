import Common
import CoordinatorCore

/// What the fleet runs itself with: not for a person, and without a fleet's configuration.
enum HiddenCommand {
    /// - Returns: the exit status; nil when the name is none of these.
    static func run(_ name: String, _ words: [String]) throws -> Int32? {
        switch name {
        case "keep": return try Keeper(arguments: words).run()
        case "mock-kafka":
            try MockKafkaProcess(arguments: words).run()
            return ExitCode.success.rawValue
        default: return nil
        }
    }
}
