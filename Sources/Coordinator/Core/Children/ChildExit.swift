import Common

/// How a child ended.
package struct ChildExit: Sendable, Equatable {
    package var pid: Int32
    /// The exit status, or the signal.
    package var status: Int32
    package var isSignal = false

    package init(pid: Int32, status: Int32, isSignal: Bool = false) {
        self.pid = pid
        self.status = status
        self.isSignal = isSignal
    }

    /// Whether it would end in the same way each time: it was told something wrong.
    package var isUsersToMend: Bool {
        !isSignal && [ExitCode.usage.rawValue, ExitCode.configuration.rawValue].contains(status)
    }
}

extension ChildExit: CustomStringConvertible {
    package var description: String { isSignal ? "signal \(status)" : "exit code \(status)" }
}
