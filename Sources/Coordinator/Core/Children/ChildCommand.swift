import Accounts
import Common
import Foundation
import Postgres

/// How a child is run, each time it is.
package struct ChildCommand: Sendable, Equatable {
    package var executable: String
    package var arguments: [String]
    /// All of it: nothing is added.
    package var environment: [String: String]
    /// Where its output is added; nil: where ours goes.
    package var log: String?
    /// Where it works; nil: where we do.
    package var directory: String?

    package init(
        _ executable: String, _ arguments: [String] = [],
        environment: [String: String] = ChildCommand.environment(), log: String? = nil, directory: String? = nil
    ) {
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.log = log
        self.directory = directory
    }

    /// Of this process, without what is not a child's to know.
    package static func environment(
        of environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> [String: String] {
        var environment = environment
        // What Kafka and Postgres are reached with goes over the control channel, not where /proc shows it.
        for name in ConnectionVariables.kafkaNames + ConnectionString.variableNames { environment[name] = nil }
        // What the coordinator's service manager hears, it hears from the coordinator.
        // Edges are told by the control channel.
        for name in [TokenKeys.variable, TokenKeys.variable + "_FILE"] { environment[name] = nil }
        for name in ServiceNotifier.variables { environment[name] = nil }
        // A crash must be an exit at once: writing a backtrace can take long, or hang.
        if environment["SWIFT_BACKTRACE"] == nil { environment["SWIFT_BACKTRACE"] = "enable=no" }
        return environment
    }

    /// A program that doesn't watch its standard input, under a keeper that does.
    package static func kept(
        _ keeper: Keeper, coordinator: String, log: String, directory: String? = nil
    ) -> ChildCommand {
        ChildCommand(coordinator, ["keep"] + keeper.arguments, log: log, directory: directory)
    }
}
