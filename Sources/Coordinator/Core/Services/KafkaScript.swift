import Common
import Foundation

/// The script that runs Apache Kafka and its tools, `deploy/kafka/kafka`.
package struct KafkaScript: Sendable {
    package let path: String

    /// Nil where there is none: in the checkout that an executable was built in, or where both were installed.
    package init?(besides executable: String) {
        let folder = URL(filePath: executable).deletingLastPathComponent()
        var candidates = [folder.deletingLastPathComponent().appending(path: "lib/millrace/kafka/kafka").path]
        var part = folder
        while part.path != "/" {
            candidates.append(part.appending(path: "deploy/kafka/kafka").path)
            part.deleteLastPathComponent()
        }
        guard let found = candidates.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
            return nil
        }
        path = found
    }

    /// Nil when a broker can be run; else why not. Blocking, for a moment.
    package func reasonNotToRun() -> String? {
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = ["home"]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        let errors = Pipe()
        process.standardError = errors
        do {
            try process.run()
            let data = try errors.fileHandleForReading.readToEnd() ?? Data()
            process.waitUntilExit()
            guard process.terminationStatus != 0 || process.terminationReason != .exit else { return nil }
            let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            return text.isEmpty ? "\(path) home: exit code \(process.terminationStatus)" : text
        } catch {
            return "\(path): \(error.localizedDescription)"
        }
    }

    /// A broker in the foreground.
    package func run(data: String, port: UInt16, controllerPort: UInt16) -> [String] {
        [path, "run", "--data", data, "--port", String(port), "--controller-port", String(controllerPort)]
    }
}
