import Common
import Foundation
import Postgres
import TestSupport

/// A fleet with one worker and one edge, by way of Postgres, and a crowd that follows a stream.
struct Edge {
    static let stream = StreamDefinition(
        name: "feed", topics: [], mode: .append, key: [],
        columns: [
            Column("stream", .text), Column("seq", .bigint, required: true), Column("ts", .text), Column("pad", .text),
        ])
    static let frames = [
        #"{"type":"connect","id":1}"#, #"{"type":"subscribe","id":2,"stream":"feed","mode":"log"}"#,
    ]

    var crowd: Crowd
    /// Each has a crowd.
    var count = 1

    func run(_ arena: Arena) throws -> Measured {
        try arena.withDatabase { database in
            var fleet = Fleet()
            fleet.stream = Self.stream
            fleet.shards = 1
            return try fleet.serve(arena, database) { folder, topic in
                var edges: [Process] = []
                defer {
                    for edge in edges {
                        edge.terminate()
                        edge.waitUntilExit()
                    }
                }
                var ports: [String] = []
                for number in 0..<count {
                    let log = "\(folder)/edge-\(number).log"
                    edges.append(try start(arena, database, folder, log))
                    ports.append(try port(log))
                }
                // Clients' waiting for an edge that has just started is not measured.
                for port in ports {
                    let retrying = "--retry 100 --retry-delay 0 --retry-all-errors"
                    try shell("curl -fsS -o /dev/null \(retrying) http://127.0.0.1:\(port)/readyz")
                }
                func spent() -> Double {
                    edges.reduce(0) { $0 + ProcessorTime.now(below: $1.processIdentifier).total }
                }
                let programs = ["ws-edge", "shard-worker", "fleet-under-tes", "postgres"]
                func spentByAll() -> Double {
                    let now = ProcessorTime.now
                    return programs.reduce(0) { $0 + (now.seconds[$1] ?? 0) }
                }
                let (before, allBefore) = (spent(), spentByAll())
                var measured = try crowd.follow(
                    arena, topic: topic, ports: ports, subprotocol: "millrace.v1.json", frames: Self.frames)
                measured.figures["server CPU s"] = ((spent() - before) * 100).rounded() / 100
                measured.figures["CPU s with worker and Postgres"] = ((spentByAll() - allBefore) * 100).rounded() / 100
                return measured
            }
        }
    }

    private func start(_ arena: Arena, _ database: [String: String], _ folder: String, _ log: String) throws -> Process
    {
        _ = FileManager.default.createFile(atPath: log, contents: nil)
        let edge = Process()
        edge.executableURL = arena.binaries.appending(path: "ws-edge")
        edge.arguments = ["--listen", "127.0.0.1:0", "--control", "ipc://\(folder)/control/coordinator", "--open"]
        edge.environment = [
            "PGHOST": database["host"]!, "PGPORT": database["port"]!, "PGDATABASE": database["dbname"]!,
            "PGUSER": database["user"]!,
        ]
        edge.standardError = FileHandle(forWritingAtPath: log)
        edge.standardInput = FileHandle.nullDevice
        try edge.run()
        return edge
    }

    /// As soon as it says where it listens.
    private func port(_ log: String) throws -> String {
        let deadline = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < deadline {
            let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            if let match = text.firstMatch(of: /ws:\/\/127\.0\.0\.1:(\d+)\/ws/) { return String(match.1) }
            Thread.sleep(forTimeInterval: 0.02)
        }
        throw ShellFailure(command: "ws-edge", output: (try? String(contentsOfFile: log, encoding: .utf8)) ?? "")
    }
}
