import Common
import CoordinatorCore
import Foundation
import TestSupport
import Testing

/// The `coordinator` command line, run as a person runs it.
extension Fleet {
    struct Output {
        var code: Int32
        var text: String
        var errors: String
    }

    /// Writes a Config.json for this fleet's stream, broker and database.
    func writeConfiguration() throws -> String {
        var file = ConfigurationFile()
        file.kafka = kafkaConfiguration.mapValues { .text($0) }
        file.postgres = postgres.mapValues { .text($0) }
        file.streams = [stream]
        file.control = controlAddress
        file.advertiseHost = advertisedHost
        file.issuers = issuers
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let path = folder + "/Config.json"
        try JSONEncoder().encode(file).write(to: URL(filePath: path))
        return path
    }

    func command(_ words: String...) throws -> Output { try command(words) }

    /// A command that has to succeed; its output.
    @discardableResult
    func done(_ words: String..., sourceLocation: SourceLocation = #_sourceLocation) throws -> String {
        let output = try command(words)
        #expect(output.code == 0, "\(words): \(output.errors)", sourceLocation: sourceLocation)
        return output.text
    }

    /// One that is not started yet.
    func commandProcess(
        _ words: [String], configuration: String? = nil, environment: [String: String] = [:]
    ) throws -> Process {
        let path = try writeConfiguration()
        if let configuration { try configuration.write(toFile: path, atomically: false, encoding: .utf8) }
        let process = Process()
        process.executableURL = programs.appending(path: "coordinator")
        process.arguments = words + ["--config", path, "--runtime-dir", folder]
        process.environment = environment.merging(["PATH": "/usr/bin:/bin", "SWIFT_BACKTRACE": "enable=no"]) { $1 }
        process.standardInput = FileHandle.nullDevice
        return process
    }

    /// - Parameters:
    ///   - configuration: instead of this fleet's.
    ///   - environment: added to what a command finds.
    ///   - input: what it reads; nil: nothing.
    func command(
        _ words: [String], configuration: String? = nil, environment: [String: String] = [:], input: String? = nil
    ) throws -> Output {
        let process = try commandProcess(words, configuration: configuration, environment: environment)
        if let input {
            let pipe = Pipe()
            process.standardInput = pipe
            // Less than a pipe holds.
            try pipe.fileHandleForWriting.write(contentsOf: Data(input.utf8))
            try pipe.fileHandleForWriting.close()
        }
        // Files, not pipes: a fleet that `start --detach` leaves behind must hold nothing of ours.
        let files = ["out", "err"].map { "\(folder)-\($0)" }
        defer { for file in files { try? FileManager.default.removeItem(atPath: file) } }
        // A detached fleet inherits the descriptor by which Foundation notices the command's end.
        let exited = DispatchSemaphore(value: 0)
        process.terminationHandler = { _ in exited.signal() }
        try process.run(output: files[0], errors: files[1])
        try #require(exited.wait(timeout: .now() + 120) == .success, "coordinator \(words) did not end")
        func read(_ file: String) -> String { (try? String(contentsOfFile: file, encoding: .utf8)) ?? "" }
        return Output(code: process.terminationStatus, text: read(files[0]), errors: read(files[1]))
    }
}
