import BenchmarkSupport
import Foundation
import TestSupport

extension Scenario {
    /// Milliseconds that every byte takes to Postgres, and as many back.
    private static let distances = [0.0, 1, 5]

    /// A fleet whose Postgres is in another place.
    static var distance: Scenario {
        Scenario(
            name: "distance", title: "Kafka to Postgres, which is some milliseconds away (each way)",
            axis: "milliseconds",
            load: Load.readings,
            contestants: {
                distances.map { milliseconds in
                    Contestant(name: name(milliseconds), x: milliseconds) { arena in
                        try Proxy(arena, milliseconds).use { port in
                            var fleet = Fleet.append()
                            fleet.place = {
                                $1.merging([
                                    "host": "127.0.0.1", "port": port, "sslmode": "disable", "gssencmode": "disable",
                                ]) { $1 }
                            }
                            return try fleet.run(arena)
                        }
                    }
                }
            },
            ratios: distances.dropFirst().map { milliseconds in
                Ratio(name: "\(name(milliseconds)) / \(name(0))", atLeast: milliseconds == 5 ? 0.7 : nil) {
                    $0[name(milliseconds)]!.value / $0[name(0)]!.value
                }
            })
    }

    private static func name(_ milliseconds: Double) -> String { "\(Int(milliseconds)) ms" }

    /// Benchmarks/Distance, as a process.
    private struct Proxy {
        let process = Process()
        let port: String
        let input = Pipe()

        init(_ arena: Arena, _ milliseconds: Double) throws {
            let output = Pipe()
            process.executableURL = arena.binaries.appending(path: "distance")
            process.arguments = [arena.postgres.socketPath, "\(milliseconds)"]
            process.standardInput = input
            process.standardOutput = output
            try process.run()
            port = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
                .trimmingCharacters(in: .whitespacesAndNewlines)
        }

        func use<Result>(_ body: (String) throws -> Result) throws -> Result {
            defer {
                try? input.fileHandleForWriting.close()
                process.waitUntilExit()
            }
            return try body(port)
        }
    }
}
