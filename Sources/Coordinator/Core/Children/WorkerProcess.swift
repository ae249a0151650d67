private import CLinux
import Common
import Foundation

/// A spawned shard worker. The parent holds the write end of its stdin and never writes: its end tells the worker
/// that the parent is gone, whatever ended it.
final class WorkerProcess {
    private let process = Process()
    private let shard: Int32
    private let input = Pipe()

    /// - Parameter exited: called once, on a thread of Foundation's.
    init(_ executable: String, shard: Int32, control: String, exited: @escaping @Sendable (_ pid: Int32) -> Void) throws
    {
        self.shard = shard
        process.executableURL = URL(filePath: executable)
        var environment = ProcessInfo.processInfo.environment
        // Secrets go over the control channel, not where /proc shows them.
        environment["PGPASSWORD"] = nil
        // What the coordinator's service manager hears, it hears from the coordinator.
        for name in ServiceNotifier.variables { environment[name] = nil }
        // A crash must be an exit at once: writing a backtrace can take long, or hang.
        if environment["SWIFT_BACKTRACE"] == nil { environment["SWIFT_BACKTRACE"] = "enable=no" }
        environment["MILLRACE_SHARD"] = String(shard)
        environment["MILLRACE_CONTROL"] = control
        process.environment = environment
        process.standardInput = input
        process.terminationHandler = { exited($0.processIdentifier) }
        try process.run()
        try? input.fileHandleForReading.close()
    }

    var pid: Int32 { process.processIdentifier }

    var identity: WorkerIdentity { WorkerIdentity(shard: shard, pid: pid) }

    func kill() {
        if process.isRunning { _ = CLinux.kill(pid, SIGKILL) }
    }
}
