/// Why a fleet can't start: one sentence for a person, and what to do.
package struct StartError: Error, CustomStringConvertible {
    package let description: String
    package let exitCode: ExitCode
    /// Another fleet works on the same schema.
    package let isHeldByAnother: Bool

    package init(_ description: String, _ exitCode: ExitCode, isHeldByAnother: Bool = false) {
        self.description = description
        self.exitCode = exitCode
        self.isHeldByAnother = isHeldByAnother
    }
}
