internal import Synchronization

/// What is to happen to the next transactions through a proxy, whichever connection they come on, and what has.
final class CutPlan: Sendable {
    private struct State {
        var pending: [CommitCut?] = []
        /// Cuts that connections have taken and not made yet.
        var taken = 0
        var made: [CommitCut: Int] = [:]
    }

    private let state = Mutex(State())

    func add(_ cuts: [CommitCut?]) {
        state.withLock { $0.pending += cuts }
    }

    func removeAll() {
        state.withLock { $0.pending.removeAll() }
    }

    /// Nil to let the transaction pass. A cut is to be made or dropped by who has taken it.
    func take() -> CommitCut? {
        state.withLock { state in
            guard !state.pending.isEmpty, let cut = state.pending.removeFirst() else { return nil }
            state.taken += 1
            return cut
        }
    }

    func made(_ cut: CommitCut) {
        state.withLock { state in
            state.taken -= 1
            state.made[cut, default: 0] += 1
        }
    }

    /// The connection ended by something else.
    func drop() {
        state.withLock { $0.taken -= 1 }
    }

    var made: [CommitCut: Int] { state.withLock { $0.made } }
    var pendingCount: Int { state.withLock { $0.taken + $0.pending.count { $0 != nil } } }
}
