private import CLinux
import Common

/// A spawned shard worker.
final class WorkerProcess {
    private let process: ChildProcess
    private let shard: Int32
    /// All that it has been given, also what was taken from it again.
    var hasHad: Set<SourceID> = []

    /// - Parameter exited: called once, on a thread of Foundation's.
    init(_ executable: String, shard: Int32, control: String, exited: @escaping @Sendable (ChildExit) -> Void)
        throws(StartError)
    {
        self.shard = shard
        var command = ChildCommand(executable)
        command.environment["MILLRACE_SHARD"] = String(shard)
        command.environment["MILLRACE_CONTROL"] = control
        process = try ChildProcess(command, exited: exited)
    }

    var pid: Int32 { process.pid }

    var identity: WorkerIdentity { WorkerIdentity(shard: shard, pid: pid) }

    func kill() {
        process.signal(SIGKILL)
    }
}
