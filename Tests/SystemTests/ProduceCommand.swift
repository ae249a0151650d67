import Common
import CoordinatorCore
import Foundation
import TestSupport
import Testing

/// `coordinator produce` as a process, with a configuration of its own. Used from one thread.
final class ProduceCommand {
    struct Summary: Decodable {
        let records: Int
        let acknowledged: Int
        let failed: Int
        let skipped: Int
        let rate: Double
        let error: String?
    }

    let folder: String
    private let process = Process()
    private let input = Pipe()
    private let exited = DispatchSemaphore(value: 0)

    init(_ words: [String], _ streams: [StreamDefinition], kafka: [String: String]) throws {
        folder = "/tmp/mr-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var file = ConfigurationFile()
        file.kafka = kafka.mapValues { .text($0) }
        file.streams = streams
        try JSONEncoder().encode(file).write(to: URL(filePath: folder + "/Config.json"))
        process.executableURL = Fleet.binaries.appending(path: "coordinator")
        process.arguments = ["produce"] + words + ["--config", "Config.json", "--runtime-dir", folder]
        process.currentDirectoryURL = URL(filePath: folder)
        process.environment = ["PATH": "/usr/bin:/bin", "SWIFT_BACKTRACE": "enable=no"]
        process.standardInput = input
        process.terminationHandler = { [exited] _ in exited.signal() }
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        try? FileManager.default.removeItem(atPath: folder)
    }

    var output: String { (try? String(contentsOfFile: folder + "/out", encoding: .utf8)) ?? "" }
    var errors: String { (try? String(contentsOfFile: folder + "/err", encoding: .utf8)) ?? "" }

    func summary() throws -> Summary {
        try JSONDecoder().decode(Summary.self, from: Data(output.utf8))
    }

    /// A file beside the configuration.
    func write(_ text: String, to name: String) throws {
        try text.write(toFile: "\(folder)/\(name)", atomically: false, encoding: .utf8)
    }

    func start() throws { try process.run(output: folder + "/out", errors: folder + "/err") }

    func send(_ text: String) throws { try input.fileHandleForWriting.write(contentsOf: Data(text.utf8)) }

    func closeInput() throws { try input.fileHandleForWriting.close() }

    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Its exit code.
    func wait() throws -> Int32 {
        try #require(exited.wait(timeout: .now() + 120) == .success, "produce did not end: \(output)\(errors)")
        return process.terminationStatus
    }

    func run() throws -> Int32 {
        try start()
        return try wait()
    }
}
