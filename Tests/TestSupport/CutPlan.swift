internal import Synchronization

/// What is to happen to the next transactions through a proxy, whichever connection they come on, and what has.
final class CutPlan: Sendable {
    private struct State {
        var pending: [CommitCut?] = []
        var done: [CommitCut: Int] = [:]
    }

    private let state = Mutex(State())

    func add(_ cuts: [CommitCut?]) {
        state.withLock { $0.pending += cuts }
    }

    func removeAll() {
        state.withLock { $0.pending.removeAll() }
    }

    /// Nil to let the transaction pass.
    func next() -> CommitCut? {
        state.withLock { $0.pending.isEmpty ? nil : $0.pending.removeFirst() }
    }

    /// The connection ended by something else.
    func giveBack(_ cut: CommitCut) {
        state.withLock { $0.pending.insert(cut, at: 0) }
    }

    func count(_ cut: CommitCut) {
        state.withLock { $0.done[cut, default: 0] += 1 }
    }

    var done: [CommitCut: Int] { state.withLock { $0.done } }
    var pendingCount: Int { state.withLock { $0.pending.count { $0 != nil } } }
}
