import Common
import CoordinatorCore
import Foundation

/// A subcommand: what it is called, what it says about itself, what it does.
struct Command: Sendable {
    let name: String
    /// Its options and words.
    let form: String
    /// What it does, in a sentence.
    let summary: String
    let example: String
    let run: @Sendable (inout Arguments, Settings) throws -> ExitCode

    var help: String {
        """
        \(summary)

        usage:   coordinator \(name) \(form)
        example: coordinator \(example)

        Every command takes --config FILE, --env-file FILE and --runtime-dir DIR.

        """
    }

    static let all: [Command] =
        [
            start, status, scale, pause, resume, drain, stop, restart, initDatabase, check, verify, reset, rename,
            deadLetters,
            retain, users, keys, produce, tail, psql,
        ]

    static var overview: String {
        let width = all.map(\.name.count).max()! + 2
        let lines = all.map { "  " + $0.name.padding(toLength: width, withPad: " ", startingAt: 0) + $0.summary }
        return """
            Millrace: Kafka topics become Postgres rows exactly once, by a fleet of shard workers.

            usage: coordinator COMMAND [OPTIONS]

            \(lines.joined(separator: "\n"))

            coordinator COMMAND --help says more, with an example.
            Exit codes: 0 done; 1 verify found a break, or status a fleet that is not healthy; 64 usage; 65 a file holds
            what it should not; 69 something needed doesn't answer; 70 internal error; 75 draining took too long; 78
            configuration.

            """
    }
}
