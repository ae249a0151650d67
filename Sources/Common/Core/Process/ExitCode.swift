/// The exit codes of all Millrace programs, after sysexits.h.
package enum ExitCode: Int32, Sendable {
    case success = 0
    /// A question was answered, and the answer is no: `verify` found a break, `status` a fleet that is not healthy.
    case found = 1
    /// The command line or the environment is wrong.
    case usage = 64
    /// A file, or standard input, holds what it should not.
    case invalidInput = 65
    /// Something that is needed doesn't answer.
    case unavailable = 69
    case internalError = 70
    /// Draining took too long; what was not committed comes again.
    case drainTimeout = 75
    case configuration = 78
}
