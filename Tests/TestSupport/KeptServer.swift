internal import CoordinatorCore
internal import Foundation
internal import Synchronization

/// A server in a temporary folder, under the keeper that the fleet's own services have (`coordinator keep`): it ends with
/// this value, or with the test process, whatever ended that. Then its folder goes too; after a crash it stays.
final class KeptServer: Sendable {
    private let command: ChildCommand
    private let folder: String
    private let process = Mutex<ChildProcess?>(nil)

    /// Runs a program, hands on the signal to end, and removes the folder.
    private static let script = """
        folder=$1 signal=$2; shift 2
        trap 'kill -s $signal $server' TERM INT QUIT
        "$@" & server=$!
        wait $server; wait $server; status=$?
        rm -rf "$folder"; exit $status
        """

    init(_ program: [String], folder: String, user: String? = nil, signal: KeeperSignal = .terminate) throws {
        guard FileManager.default.isExecutableFile(atPath: Self.coordinator) else {
            throw ShellFailure(command: Self.coordinator, output: "is not built: swift build --product coordinator")
        }
        let words = ["/bin/sh", "-c", Self.script, "sh", folder, signal.rawValue] + program
        self.folder = folder
        command = .kept(
            Keeper(words, user: user, signal: signal), coordinator: Self.coordinator, log: folder + "/log",
            directory: folder)
        try start()
    }

    deinit {
        process.withLock { process in
            process?.endInput()
            process?.waitForExit()
        }
        // After a crash nobody else does.
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Beside the tests' own executable.
    static var coordinator: String {
        URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "coordinator").path
    }

    func start() throws {
        try process.withLock { $0 = try ChildProcess(command) }
    }

    /// Kills everything of it.
    func crash() {
        process.withLock { process in
            process?.signal(SIGQUIT)
            process?.waitForExit()
        }
    }

    /// Why it has ended by itself; nil while it runs.
    var exit: String? { process.withLock { $0?.exit?.description } }

    var lastLines: String { (try? shell("tail -n 20 \(command.log ?? "")")) ?? "" }
}
