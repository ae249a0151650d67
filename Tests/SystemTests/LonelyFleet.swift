import Common
import CoordinatorCore
import Foundation
import Postgres
import TestSupport
import Testing

/// A coordinator in an empty folder, which nothing tells where Kafka or Postgres is. Used from one thread.
final class LonelyFleet {
    let folder: String
    /// Of every process that is started here.
    var environment: [String: String] = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "SWIFT_BACKTRACE": "enable=no"]
    private var process: Process?
    private var life = 0

    struct Output {
        var code: Int32
        var text: String
        var errors: String
    }

    init() throws {
        folder = "/tmp/mr-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        // As a folder of somebody's would be: Postgres runs as another user.
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder)
        // The script of Kafka asks for it.
        for name in ["KAFKA_HOME", "HOME"] { environment[name] = ProcessInfo.processInfo.environment[name] }
    }

    deinit {
        process?.waitUntilExit(after: SIGKILL)
        // What a failed test leaves behind.
        for (pid, _) in processes() { kill(pid, SIGKILL) }
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// - Parameter name: of the files with what it says.
    private func run(
        _ words: [String], _ name: String, atExit: (@Sendable () -> Void)? = nil
    ) throws -> Process {
        let process = Process()
        process.executableURL = Fleet.binaries.appending(path: "coordinator")
        process.arguments = words
        process.environment = environment
        process.currentDirectoryURL = URL(filePath: folder)
        process.standardInput = FileHandle.nullDevice
        if let atExit { process.terminationHandler = { _ in atExit() } }
        try process.run(output: "\(folder)/\(name).out", errors: "\(folder)/\(name).err")
        return process
    }

    private func read(_ name: String) -> String {
        (try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)) ?? ""
    }

    // MARK: The coordinator

    /// Waits until it says that it has started.
    func start(_ words: String...) throws {
        life += 1
        let process = try run(["start"] + words, "life-\(life)")
        self.process = process
        try wait("a start; it says: \(log)", seconds: 180) {
            try #require(process.isRunning, "it ended with \(process.terminationStatus): \(log)")
            return log.contains("coordinator: started: ")
        }
    }

    /// What this life has said.
    var log: String { read("life-\(life).err") }

    var pid: Int32 { process!.processIdentifier }

    func killCoordinator() {
        process?.waitUntilExit(after: SIGKILL)
    }

    func waitForExit() -> Int32 {
        process!.waitUntilExit()
        return process!.terminationStatus
    }

    func status() throws -> StatusReport? {
        let output = try command("status", "--json")
        return try? JSONDecoder().decode(StatusReport.self, from: Data(output.text.utf8))
    }

    @discardableResult
    func waitForStatus(_ what: String, seconds: Double = 120, _ isAsWanted: (StatusReport) -> Bool) throws
        -> StatusReport
    {
        var last: StatusReport?
        try wait("status: \(what); last: \(String(describing: last)); it says: \(log)", seconds: seconds) {
            last = try status()
            return last.map(isAsWanted) ?? false
        }
        return last!
    }

    // MARK: Commands

    func command(_ words: String...) throws -> Output { try command(words) }

    func command(_ words: [String]) throws -> Output {
        let name = "command-\(words[0])"
        let exited = DispatchSemaphore(value: 0)
        let process = try run(words, name) { exited.signal() }
        try #require(exited.wait(timeout: .now() + 180) == .success, "coordinator \(words) did not end")
        return Output(code: process.terminationStatus, text: read(name + ".out"), errors: read(name + ".err"))
    }

    /// A command that has to succeed; its output.
    @discardableResult
    func done(_ words: String..., sourceLocation: SourceLocation = #_sourceLocation) throws -> String {
        let output = try command(words)
        #expect(output.code == 0, "\(words): \(output.errors)", sourceLocation: sourceLocation)
        return output.text
    }

    /// One that goes on beside the test; its exit code once it has ended.
    func begin(_ words: String...) throws -> () -> Output {
        let name = "command-\(words[0])"
        let process = try run(words, name)
        return { [self] in
            process.waitUntilExit()
            return Output(code: process.terminationStatus, text: read(name + ".out"), errors: read(name + ".err"))
        }
    }

    // MARK: What there is

    /// Where its Postgres is.
    func postgres() throws -> [String: String] {
        guard
            case .connections(_, let postgres) = try ControlClient(runtimeFolder: folder + "/.millrace").ask(
                .connections)
        else { throw StartError("no connections", .internalError) }
        return postgres
    }

    func rows(_ sql: String) throws -> [String] {
        var connection = try Connection.open(parameters: postgres())
        let result = try connection.execute(sql)[0]
        return (0..<result.rowCount).map { row in
            (0..<result.columnCount).map { result.text(row, $0) ?? "-" }.joined(separator: "|")
        }
    }

    /// Each process of the fleet: those whose arguments, environment or working directory tell of its runtime folder.
    func processes() -> [(pid: Int32, command: String)] {
        let runtimeFolder = Data((folder + "/.millrace").utf8)
        let pids = ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }
        return pids.compactMap { pid in
            func read(_ name: String) -> Data {
                (try? Data(contentsOf: URL(filePath: "/proc/\(pid)/\(name)"))) ?? Data()
            }
            let arguments = read("cmdline")
            let directory = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/cwd")) ?? ""
            guard
                directory.hasPrefix(folder + "/.millrace") || arguments.range(of: runtimeFolder) != nil
                    || read("environ").range(of: runtimeFolder) != nil || pid == process?.processIdentifier
            else { return nil }
            return (pid, String(decoding: arguments.map { $0 == 0 ? 32 : $0 }, as: UTF8.self))
        }
    }

    /// One whose command line has a word.
    func process(_ word: String) throws -> Int32 {
        let all = processes()
        return try #require(all.first { $0.command.contains(word) }?.pid, "no \(word) among \(all)")
    }

    func wait(_ what: @autoclosure () -> String, seconds: Double = 120, until isDone: () throws -> Bool) throws {
        let deadline = Date.now + seconds
        while !(try isDone()) {
            try #require(Date.now < deadline, "not within \(seconds) s: \(what())")
            Thread.sleep(forTimeInterval: 0.05)
        }
    }
}

extension Process {
    fileprivate func waitUntilExit(after signal: Int32) {
        if isRunning { kill(processIdentifier, signal) }
        waitUntilExit()
    }
}
