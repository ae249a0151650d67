import CoordinatorCore
import Foundation
import Postgres
import TestSupport

/// Another system that does a part of what Millrace does, with settings as it is shipped or as it is best tuned
/// (Benchmarks/Peers).
struct Peer: Sendable {
    enum Variant: String, CaseIterable { case shipped, tuned }

    /// What `peer about` prints.
    struct About: Codable {
        var path: String?
        var subprotocol: String?
        var frames: [String]?
    }

    var name: String
    var variant: Variant

    var label: String { "\(name), \(variant.rawValue)" }
    private var script: String { "Benchmarks/Peers/\(name)/peer" }

    func about() throws -> About {
        try JSONDecoder().decode(About.self, from: Data(try shell("\(script) about").utf8))
    }

    /// Nil when it is there, else why it can't be had.
    static func absence(of name: String) -> String? {
        do {
            try shell("Benchmarks/Peers/\(name)/peer install")
            return nil
        } catch {
            return (error as? ShellFailure)?.output ?? "\(error)"
        }
    }

    /// A process of it, which goes on where one before with the same folder was killed.
    func start(_ arena: Arena, topic: String, state: String, _ environment: [String: String]) throws -> Process {
        let process = Process()
        process.executableURL = URL(filePath: script)
        process.arguments = ["run", variant.rawValue]
        process.environment = ProcessInfo.processInfo.environment.merging(
            [
                "BROKERS": arena.kafka.bootstrap, "TOPIC": topic, "PARTITIONS": "\(arena.load.partitions)",
                "STATE": state,
            ]
        ) { $1 }.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        let log = state + "/peer.log"
        if !FileManager.default.fileExists(atPath: log) {
            _ = FileManager.default.createFile(atPath: log, contents: nil)
        }
        let output = FileHandle(forWritingAtPath: log)
        _ = try output?.seekToEnd()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        return process
    }

    /// Of a peer that writes into Postgres.
    static func environment(_ database: [String: String]) -> [String: String] {
        [
            "PGHOST": "127.0.0.1", "PGPORT": database["port"]!, "PGUSER": database["user"]!, "PGPASSWORD": "none",
            "PGDATABASE": database["dbname"]!, "TABLE": Cars.table,
        ]
    }

    static func end(_ process: Process) {
        ProcessTree.kill(process.processIdentifier)
        process.waitUntilExit()
    }

    /// WebSocket clients of it.
    func serve(_ arena: Arena, _ crowd: Crowd) throws -> Measured {
        try arena.withFolder { state in
            let about = try about()
            let topic = try arena.kafka.makeTopic(partitions: Int32(arena.load.partitions))
            let port = "\(try FreePort.random())"
            let process = try start(arena, topic: topic, state: state, ["PORT": port])
            defer { Self.end(process) }
            let deadline = ContinuousClock.now + .seconds(60)
            while !((try? String(contentsOfFile: state + "/peer.log", encoding: .utf8)) ?? "").contains("ready") {
                guard ContinuousClock.now < deadline, process.isRunning else {
                    throw ShellFailure(
                        command: script,
                        output: (try? String(contentsOfFile: state + "/peer.log", encoding: .utf8)) ?? "")
                }
                Thread.sleep(forTimeInterval: 0.05)
            }
            let before = ProcessorTime.now(below: process.processIdentifier)
            var measured = try crowd.follow(
                arena, topic: topic, ports: [port], path: about.path ?? "/", subprotocol: about.subprotocol ?? "",
                frames: about.frames ?? [])
            let spent = ProcessorTime.now(below: process.processIdentifier).total - before.total
            measured.figures["server CPU s"] = (spent * 100).rounded() / 100
            return measured
        }
    }
}
