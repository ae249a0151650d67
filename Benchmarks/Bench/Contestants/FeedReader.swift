import Common
import Foundation
import Synchronization
import TestSupport
import ZeroMQ

/// Somebody who subscribes to what workers publish of a stream, and only counts it: without one nothing is published.
final class FeedReader: Sendable {
    private struct State {
        var rows = 0
        var isStopped = false
        var failure: String?
    }

    private let state = Mutex(State())
    private let ended = DispatchSemaphore(value: 0)

    /// Waits until as many workers publish.
    init(_ folder: String, _ stream: String, shards: Int) throws {
        let deadline = ContinuousClock.now + .seconds(30)
        var feeds: [String] = []
        repeat {
            guard ContinuousClock.now < deadline else { throw ShellFailure(command: "follow", output: "no feeds") }
            Thread.sleep(forTimeInterval: 0.001)
            let files = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/control")) ?? []
            feeds = files.filter { $0.hasPrefix("feed-") }
        } while feeds.count < shards
        let thread = Thread { [self, feeds] in
            do { try run(feeds.map { "ipc://\(folder)/control/\($0)" }, stream) } catch {
                state.withLock { $0.failure = "\(error)" }
            }
            ended.signal()
        }
        thread.start()
    }

    private func run(_ endpoints: [String], _ stream: String) throws {
        let socket = try Socket(.subscriber, in: Context())
        try socket.subscribe(FeedMessage.topic(stream))
        for endpoint in endpoints { try socket.connect(endpoint) }
        while !state.withLock({ $0.isStopped }) {
            var poller = Poller()
            poller.add(socket)
            try poller.wait(.milliseconds(100))
            while let parts = try socket.receive() {
                let rows = parts[1].withUnsafeBytes { FeedMessage($0) }?.rows.count ?? 0
                state.withLock { $0.rows += rows }
            }
        }
    }

    /// - Returns: the rows that came.
    func stop() throws -> Int {
        state.withLock { $0.isStopped = true }
        ended.wait()
        let (rows, failure) = state.withLock { ($0.rows, $0.failure) }
        if let failure { throw ShellFailure(command: "follow", output: failure) }
        return rows
    }
}
