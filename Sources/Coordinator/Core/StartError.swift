package import Common

/// Why a fleet can't start: one sentence for a person, and what to do.
package struct StartError: Error, CustomStringConvertible {
    package let description: String
    package let exitCode: ExitCode

    package init(_ description: String, _ exitCode: ExitCode) {
        self.description = description
        self.exitCode = exitCode
    }
}
