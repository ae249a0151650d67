import Foundation
import Postgres
import Synchronization

/// Looks again and again how far each source is, on a thread of its own, and keeps when it went on.
final class PositionWatch: Sendable {
    struct Source {
        /// Seconds since 1970, each time that it had gone on.
        var moves: [Double] = []
        fileprivate var position: Int64 = -1
        /// Whose worker had it, at each of them.
        var members: [String] = []
    }

    private struct State {
        var sources: [Int64: Source] = [:]
        var isStopped = false
    }

    private static let interval = 0.02
    private let state = Mutex(State())
    private let finished = DispatchSemaphore(value: 0)

    init(_ postgres: [String: String]) {
        let thread = Thread { [self] in
            try? run(postgres)
            finished.signal()
        }
        thread.start()
    }

    private func run(_ postgres: [String: String]) throws {
        var connection = try Connection.open(parameters: postgres)
        while !state.withLock({ $0.isStopped }) {
            let rows = try connection.execute("SELECT id, next_offset, coalesce(member, '') FROM millrace.source")[0]
            let now = Date.now.timeIntervalSince1970
            state.withLock { state in
                for row in 0..<rows.rowCount {
                    let (id, position) = (rows.integer(row, 0)!, rows.integer(row, 1)!)
                    var source = state.sources[id] ?? Source()
                    guard source.position != position else { continue }
                    source.position = position
                    source.moves.append(now)
                    source.members.append(rows.text(row, 2)!)
                    state.sources[id] = source
                }
            }
            Thread.sleep(forTimeInterval: Self.interval)
        }
    }

    func stop() {
        state.withLock { $0.isStopped = true }
        finished.wait()
    }

    /// Seconds of the longest time in which a source did not go on, within a span: of those that a member had at its begin, and of
    /// the others.
    func stalls(since begin: Double, of member: String) -> (own: [Double], others: [Double]) {
        let end = Date.now.timeIntervalSince1970
        var own: [Double] = []
        var others: [Double] = []
        for source in state.withLock({ $0.sources }).values {
            let before = source.moves.lastIndex { $0 <= begin }
            let times = [begin] + source.moves.filter { $0 > begin && $0 < end } + [end]
            let longest = zip(times, times.dropFirst()).map { $1 - $0 }.max()!
            if before.map({ source.members[$0] }) == member { own.append(longest) } else { others.append(longest) }
        }
        return (own, others)
    }
}
