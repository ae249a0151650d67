import Foundation
import TestSupport

/// Readers of a topic's records, and a producer that makes them at a steady rate (Benchmarks/Load).
struct Crowd {
    var clients: Int
    /// Records a second.
    var rate: Int
    var warm = 3
    var seconds = 8

    /// WebSocket clients, so many at each port.
    func follow(
        _ arena: Arena, topic: String, ports: [String], path: String = "/ws", subprotocol: String = "", frames: [String]
    ) throws -> Measured {
        try measure(
            arena, topic,
            ports.map { ["clients", $0, path, subprotocol, "\(clients)", "\(warm)", "\(seconds)"] + frames })
    }

    /// A consumer of Kafka's.
    func consume(_ arena: Arena, topic: String) throws -> Measured {
        try measure(arena, topic, [["consume", arena.kafka.bootstrap, topic, "\(warm)", "\(seconds)"]])
    }

    /// A broker's second compiler takes one of two processors, in pieces of a tenth of a second, until it has seen enough requests:
    /// which a broker that has been there for a while has.
    static func warmUp(_ arena: Arena) throws {
        let crowd = Crowd(clients: 0, rate: 20_000, warm: 0, seconds: 20)
        _ = try crowd.consume(arena, topic: try arena.kafka.makeTopic(partitions: 1))
    }

    /// What the worst of the readers had.
    private func measure(_ arena: Arena, _ topic: String, _ readers: [[String]]) throws -> Measured {
        var started: [Reader] = []
        defer { for reader in started { reader.end() } }
        for words in readers { started.append(try Reader(arena, words)) }
        for reader in started { try reader.waitUntilReady() }
        try shell(
            "\(arena.binaries.path)/load pace \(arena.kafka.bootstrap) \(topic) \(rate) \(warm + seconds + 1)")
        var worst = Measured(value: 0, figures: ["p99": 0, "delivered": 1, "gaps": 0, "doubles": 0])
        for reader in started {
            let figures = try reader.figures()
            let readers = Double(reader.isConsumer ? 1 : clients)
            let wanted = Double(rate * seconds) * readers
            worst.value = max(worst.value, figures[1])
            worst.figures["p99"] = max(worst.figures["p99"]!, figures[2])
            worst.figures["delivered"] = min(
                worst.figures["delivered"]!,
                // By the time at which it was made one record may fall out of the window; that none is missing, gaps tell.
                (figures[0] + readers) / wanted)
            worst.figures["gaps"]! += figures[3]
            worst.figures["doubles"]! += figures[4]
        }
        return worst
    }

    /// Benchmarks/Load, as a process.
    private struct Reader {
        let words: [String]
        let process = Process()
        let output = Pipe()

        init(_ arena: Arena, _ words: [String]) throws {
            self.words = words
            process.executableURL = arena.binaries.appending(path: "load")
            process.arguments = words
            process.standardOutput = output
            try process.run()
        }

        var isConsumer: Bool { words[0] == "consume" }

        func waitUntilReady() throws {
            var entry = pollfd(fd: output.fileHandleForReading.fileDescriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, 120_000) == 1 else { throw failure("the readers did not get ready") }
            let text = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
            guard text.hasPrefix("ready") else { throw failure("the readers did not get ready") }
        }

        /// Deliveries, median, 99th percentile, gaps, doubles.
        func figures() throws -> [Double] {
            let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
            let figures = (text.split(separator: "\n").last ?? "").split(separator: " ").compactMap { Double($0) }
            guard figures.count == 5 else { throw failure(text) }
            return figures
        }

        func end() {
            if process.isRunning { process.terminate() }
            process.waitUntilExit()
        }

        private func failure(_ output: String) -> ShellFailure {
            ShellFailure(command: words.joined(separator: " "), output: output)
        }
    }
}
