import Foundation
import Testing

@Suite("The systemd unit")
struct UnitFileTests {
    private static let text = try? String(
        contentsOf: URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "deploy/systemd/millrace-coordinator.service"), encoding: .utf8
    )

    private func values(_ key: String) throws -> [String] {
        try #require(Self.text).split(separator: "\n").filter { $0.hasPrefix(key + "=") }.map {
            String($0.dropFirst(key.count + 1))
        }
    }

    /// systemd removes a RuntimeDirectory at each stop (systemd.exec(5)).
    @Test("The runtime folder, with its keys, is the state directory, which outlives a stop")
    func stateDirectory() throws {
        #expect(try values("RuntimeDirectory") == [] && values("StateDirectory") == ["millrace"])
        #expect(try values("Environment").contains("MILLRACE_RUNTIME_DIR=/var/lib/millrace"))
        #expect(try !values("ExecStart")[0].contains("--runtime-dir"))
    }

    @Test("The unit and the image wait for Kafka and Postgres at the start")
    func waits() throws {
        #expect(try values("ExecStart")[0].contains("start --wait "))
        let image = try String(
            contentsOf: URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().appending(path: "Dockerfile"), encoding: .utf8)
        #expect(image.contains("MILLRACE_WAIT=true"))
    }
}
