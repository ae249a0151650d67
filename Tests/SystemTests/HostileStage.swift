import Common
import Foundation
import TestSupport
import Testing

/// An edge with a subscriber who has to get each row, whatever others do. Used from one thread.
final class HostileStage {
    private static let events = StreamDefinition(
        name: "events", topics: [], mode: .append,
        columns: [Column("n", .bigint, required: true), Column("who", .text)])

    let fleet: Fleet
    let edge: EdgeUnderTest
    private let witness: EdgeClient
    private var sent = 0

    init(prefix: [String] = [], options: [String] = ["--open"], environment: [String: String] = [:]) throws {
        fleet = try Fleet(Self.events, partitions: 1)
        try fleet.launch(shards: 1)
        edge = try EdgeUnderTest(fleet, name: "one", prefix: prefix, options: options, environment: environment)
        let web = try HTTPClient(edge.address)
        try fleet.wait("an edge that is ready", seconds: 60) { [fleet] in
            try fleet.requireRunning()
            return try web.get("/readyz").status == 200
        }
        let witness = try EdgeClient("events", edges: [edge.url], folder: fleet.folder + "/witness")
        self.witness = witness
        try fleet.wait("a subscription") { witness.subscriptions.count == 1 }
    }

    /// - Parameter padding: bytes that each row has more.
    func produce(_ count: Int, padding: Int = 0) throws {
        let who = "w" + String(repeating: ".", count: padding)
        try fleet.kafka.produce(
            (sent..<sent + count).map { #"{"n":\#($0),"who":"\#(who)"}"# }, to: fleet.topic, partition: 0)
        sent += count
    }

    /// Runs the attacks while rows are committed; its lines, by the attack's name.
    /// - Parameter meanwhile: called when the first attack has ended, of those that wait for it.
    func attack(_ words: [String], meanwhile: (() throws -> Void)? = nil) throws -> [String: String] {
        let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Clients/hostile.py").path
        let process = Process()
        let (input, output) = (Pipe(), fleet.folder + "/attack.out")
        process.executableURL = URL(filePath: "/usr/bin/python3")
        process.arguments = [script, edge.address] + words
        process.standardInput = input
        try process.run(output: output)
        defer {
            if process.isRunning { kill(process.processIdentifier, SIGKILL) }
            process.waitUntilExit()
        }
        if let meanwhile {
            try fleet.wait("the attack") {
                try #require(process.isRunning)
                return try !String(contentsOfFile: output, encoding: .utf8).isEmpty
            }
            try meanwhile()
            try input.fileHandleForWriting.write(contentsOf: Data("\n".utf8))
        }
        try fleet.wait("the attacks' end") {
            try produce(10)
            return !process.isRunning
        }
        #expect(process.terminationStatus == 0)
        let lines = try String(contentsOfFile: output, encoding: .utf8).split(separator: "\n")
        return Dictionary(
            lines.map { line in
                let end = line.range(of: ": ")!
                return (String(line[..<end.lowerBound]), String(line[end.upperBound...]))
            }
        ) { "\($0) and \($1)" }
    }

    /// The well-behaved one got each row, once, over the one connection that it began with.
    func expectWitness(sourceLocation: SourceLocation = #_sourceLocation) throws {
        try fleet.wait("\(sent) rows; \(witness.rows.count) have come", seconds: 60) { witness.rows.count >= sent }
        let numbers = witness.rows.map { Int($0.dropFirst(#"{"n":"#.count).prefix { $0.isNumber })! }
        #expect(numbers == Array(0..<sent), sourceLocation: sourceLocation)
        #expect(witness.subscriptions.count == 1, sourceLocation: sourceLocation)
    }

    /// In megabytes.
    var memory: Int {
        get throws {
            let status = try String(contentsOfFile: "/proc/\(edge.pid)/status", encoding: .utf8)
            let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
            return Int(line.filter(\.isNumber))! / 1024
        }
    }
}
