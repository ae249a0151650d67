import Common
import Foundation
import TestSupport
import Testing
import WebServer

/// The cases of Autobahn's test suite (RFC 6455), driven by a program that is not ours, against an echo on the product's server.
@Suite("WebSocket conformance", .timeLimit(.minutes(5)))
struct ConformanceTests {
    private final class Echo: ConnectionHandler {
        private final class Queue {
            var frames: [FrameBuffer] = []
        }

        let takesBinary = true

        func refusal(of request: HTTPRequest) -> HTTPResponse? { nil }
        func opened(_ connection: ClientConnection) { connection.owner = Queue() }
        func closed(_ connection: ClientConnection) {}

        func received(_ text: [UInt8], from connection: ClientConnection) {
            send(FrameBuffer(text: text), connection)
        }

        func received(binary: [UInt8], from connection: ClientConnection) {
            send(FrameBuffer(binary: binary), connection)
        }

        private func send(_ frames: FrameBuffer, _ connection: ClientConnection) {
            (connection.owner as! Queue).frames.append(frames)
            connection.requestWrite()
        }

        func nextFrames(for connection: ClientConnection) -> (frames: FrameBuffer, hasMore: Bool)? {
            let queue = connection.owner as! Queue
            guard !queue.frames.isEmpty else { return nil }
            let frames = queue.frames.removeFirst()
            return (frames, !queue.frames.isEmpty)
        }
    }

    private static let checkout = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    /// Where scripts/kosoku put it.
    private static let package = checkout.appending(path: ".build/kosoku-0.1.0").path

    @Test(
        "Each of Autobahn's cases passes, or is one that RFC 6455 leaves open",
        .enabled(
            if: FileManager.default.fileExists(atPath: package),
            "not run: the package kosoku is not there; scripts/kosoku fetches it from PyPI"))
    func cases() throws {
        var limits = WebServerLimits()
        // The longest message of the cases 9.
        limits.messageByteCount = 16 * 1024 * 1024
        let server = try WebServerThread(ListenAddress("127.0.0.1:0")!, limits: limits, name: "echo") {
            var routes = Routes()
            routes.webSocket("/echo", subprotocols: [], isPlainAllowed: true, Echo())
            return routes
        }
        let script = Self.checkout.appending(path: "Tests/Clients/conformance.py").path
        let lines = try shell("python3 '\(script)' '\(Self.package)' ws://\(server.address)/echo").split(
            separator: "\n")
        print("Autobahn's cases: \(lines.joined(separator: ", "))")
        let passing = ["OK OK ", "NON-STRICT OK ", "INFORMATIONAL INFORMATIONAL "]
        #expect(lines.filter { line in !passing.contains { line.hasPrefix($0) } } == [])
        #expect(lines.reduce(0) { $0 + (Int($1.split(separator: " ").last ?? "") ?? 0) } == 301)
    }
}
