private import CLinux
package import Common
import Foundation
private import Synchronization

/// A spawned process of this fleet: a worker, an edge, the keeper of a service.
///
/// We hold the write end of its standard input and never write: its end tells the child that its parent is gone,
/// whatever ended that. So a child lives no longer than this value. Spawned and used by one thread: descriptors of a
/// pipe could go to another child that is spawned meanwhile.
package final class ChildProcess {
    private let process = Process()
    private let input = Pipe()
    private let ended = Ended()

    private final class Ended: Sendable {
        let exit = Mutex<ChildExit?>(nil)
    }

    /// - Parameter exited: called once, on a thread of Foundation's.
    package init(_ command: ChildCommand, exited: @escaping @Sendable (ChildExit) -> Void = { _ in }) throws(StartError)
    {
        process.executableURL = URL(filePath: command.executable)
        process.arguments = command.arguments
        process.environment = command.environment
        process.standardInput = input
        if let directory = command.directory { process.currentDirectoryURL = URL(filePath: directory) }
        if let path = command.log {
            let log = try LogFile.open(path)
            process.standardOutput = log
            process.standardError = log
        }
        process.terminationHandler = { [ended] process in
            let exit = ChildExit(
                pid: process.processIdentifier, status: process.terminationStatus,
                isSignal: process.terminationReason == .uncaughtSignal)
            ended.exit.withLock { $0 = exit }
            exited(exit)
        }
        do {
            try process.run()
            // The child has its own copy of the reading end.
            try input.fileHandleForReading.close()
        } catch {
            throw StartError("can't start \(command.executable): \(error.localizedDescription)", .unavailable)
        }
    }

    deinit {
        endInput()
    }

    package var pid: Int32 { process.processIdentifier }

    /// Nil while it runs.
    package var exit: ChildExit? { ended.exit.withLock { $0 } }

    /// Tells the child to end: as if we were gone.
    package func endInput() {
        try? input.fileHandleForWriting.close()
    }

    package func signal(_ number: Int32) {
        if process.isRunning { _ = CLinux.kill(pid, number) }
    }

    /// Blocking.
    package func waitForExit() {
        process.waitUntilExit()
    }
}
