import Common
import Foundation
import Synchronization
import TestSupport
import ZeroMQ

/// Listens to the feeds of a fleet on a thread of its own, and keeps when each source was committed, and by whom.
final class CommitWatch: Sendable {
    struct Commit {
        /// Microseconds since 1970, by the worker's clock, which is this machine's.
        var at: Int64
        var shard: Int32
    }

    private struct State {
        var commits: [SourceID: [Commit]] = [:]
        var isStopped = false
    }

    private let state = Mutex(State())
    private let finished = DispatchSemaphore(value: 0)

    init(_ stream: String, folder: String) {
        let thread = Thread { [self] in
            try? run(stream, folder)
            finished.signal()
        }
        thread.start()
    }

    private func run(_ stream: String, _ folder: String) throws {
        let feeds = FleetFeeds(folder)
        let socket = try Socket(.subscriber, in: Context(), highWaterMark: 1_000_000)
        try socket.subscribe(FeedMessage.topic(stream))
        var poller = Poller()
        poller.add(socket)
        while !state.withLock({ $0.isStopped }) {
            try feeds.connect(socket)
            try poller.wait(.milliseconds(20))
            while let parts = try socket.receive() {
                guard let message = parts[1].withUnsafeBytes({ FeedMessage($0) }) else { continue }
                state.withLock { state in
                    for span in message.spans where span.to > span.from {
                        let commit = Commit(at: message.committedAt, shard: message.shard)
                        state.commits[span.source, default: []].append(commit)
                    }
                }
            }
        }
    }

    func stop() {
        state.withLock { $0.isStopped = true }
        finished.wait()
    }

    /// Of each source, in their order.
    var commits: [SourceID: [Commit]] { state.withLock(\.commits) }

    /// Milliseconds of the longest time without a commit, of each source.
    var longestStalls: [SourceID: Double] {
        commits.mapValues { commits in
            let times = commits.map(\.at).sorted()
            return zip(times, times.dropFirst()).map { Double($1 - $0) / 1000 }.max() ?? 0
        }
    }

    static var now: Int64 { Int64(Date.now.timeIntervalSince1970 * 1e6) }
}
