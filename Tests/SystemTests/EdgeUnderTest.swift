import Common
import Foundation
import TestSupport
import Testing

/// An edge's process. Used from one thread.
final class EdgeUnderTest {
    private let process = Process()
    private let logPath: String
    /// `HOST:PORT`, with the port that was picked.
    let address: String
    /// It has a certificate.
    let isEncrypted: Bool
    var url: String { "\(isEncrypted ? "wss" : "ws")://\(address)/ws" }

    /// - Parameters:
    ///   - control: the coordinator's; on this machine by default.
    ///   - prefix: the command in front of it, such as one that enters a network namespace.
    ///   - options: by default anyone may read and publish.
    ///   - extra: added to its environment, and before what is there.
    init(
        _ fleet: Fleet, name: String, listen: String = "127.0.0.1:0", control: String? = nil, key: String? = nil,
        prefix: [String] = [], options: [String] = ["--open"], environment extra: [String: String] = [:]
    ) throws {
        try FileManager.default.createDirectory(atPath: fleet.folder, withIntermediateDirectories: true)
        logPath = "\(fleet.folder)/edge-\(name).log"
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments =
            prefix + [
                fleet.programs.appending(path: "ws-edge").path, "--listen", listen, "--control",
                control ?? "ipc://\(fleet.folder)/control/coordinator",
            ] + (key.map { ["--key", $0] } ?? []) + options
        let names = [
            "host": "PGHOST", "port": "PGPORT", "dbname": "PGDATABASE", "user": "PGUSER",
            "target_session_attrs": "PGTARGETSESSIONATTRS",
        ]
        var environment = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? ""]
        for (parameter, value) in fleet.postgres { environment[names[parameter] ?? parameter] = value }
        process.environment = environment.merging(extra) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run(errors: logPath)
        do {
            isEncrypted = options.contains("--tls-certificate")
            address = try Self.address(of: process, logPath, fleet, isEncrypted ? "wss" : "ws")
        } catch {
            Foundation.kill(process.processIdentifier, SIGKILL)
            throw error
        }
    }

    /// As soon as it says where it listens.
    private static func address(of process: Process, _ logPath: String, _ fleet: Fleet, _ scheme: String) throws
        -> String
    {
        let (words, suffix) = (" info ws-edge: clients connect at \(scheme)://", "/ws")
        var found: Substring?
        try fleet.wait("an edge to listen", seconds: 20) {
            try #require(process.isRunning, "the edge ended by itself, see \(logPath)")
            let text = (try? String(contentsOfFile: logPath, encoding: .utf8)) ?? ""
            found = text.split(separator: "\n").first { $0.contains(words) && $0.hasSuffix(suffix) }
            return found != nil
        }
        return String(found![found!.range(of: words)!.upperBound...].dropLast(suffix.count))
    }

    deinit { kill() }

    var log: String { (try? String(contentsOfFile: logPath, encoding: .utf8)) ?? "" }

    var pid: Int32 { process.processIdentifier }

    func kill() {
        if process.isRunning { Foundation.kill(pid, SIGKILL) }
        process.waitUntilExit()
    }

    /// SIGTERM, and its exit code.
    func drain() -> Int32 {
        Foundation.kill(pid, SIGTERM)
        process.waitUntilExit()
        return process.terminationStatus
    }
}
