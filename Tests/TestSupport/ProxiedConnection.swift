internal import Foundation
internal import Synchronization

/// A client's connection and the one to the server that was made for it; a thread for each direction.
final class ProxiedConnection: Sendable {
    private struct State {
        /// What is to happen to the transaction under way, until it has happened.
        var cut: CommitCut?
        var copiesLeft = 0
    }

    private let client: WireSocket
    private let server: WireSocket
    private let plan: CutPlan
    private let state = Mutex(State())

    init(client: WireSocket, server: WireSocket, plan: CutPlan) {
        self.client = client
        self.server = server
        self.plan = plan
    }

    /// - Parameter onEnd: called once, when no thread uses the connection any more.
    func start(onEnd: @escaping @Sendable () -> Void) {
        let threads = DispatchGroup()
        for (name, direction) in [("proxy: up", forwardUp), ("proxy: down", forwardDown)] {
            threads.enter()
            let thread = Thread {
                direction()
                self.end()
                threads.leave()
            }
            thread.name = name
            thread.start()
        }
        threads.notify(queue: .global()) {
            if self.state.withLock({ $0.cut }) != nil { self.plan.drop() }
            onEnd()
        }
    }

    func end() {
        client.end()
        server.end()
    }

    @Sendable private func forwardUp() {
        guard var message = client.receive(isFirstOfClient: true) else { return }
        while true {
            let cut = cutUp(at: message)
            if cut == .commitWithheld { return finish(.commitWithheld) }
            guard server.send(message) else { return }
            if cut == .answerNotAwaited { return finish(.answerNotAwaited) }
            guard let next = client.receive() else { return }
            message = next
        }
    }

    @Sendable private func forwardDown() {
        while let message = server.receive() {
            if message.isCommitted, state.withLock({ $0.cut }) == .answerWithheld { return finish(.answerWithheld) }
            guard client.send(message) else { return }
        }
    }

    /// What to do with the message by which the server gets the last of what it needs to commit.
    private func cutUp(at message: WireMessage) -> CommitCut? {
        state.withLock { state in
            if let copies = message.copiesBeforeCommit {
                // A transaction that raised has left its cut to the next.
                if state.cut == nil { state.cut = plan.take() }
                state.copiesLeft = copies
                return copies == 0 ? state.cut : nil
            }
            guard message.isCopyDone, state.copiesLeft > 0 else { return nil }
            state.copiesLeft -= 1
            return state.copiesLeft == 0 ? state.cut : nil
        }
    }

    private func finish(_ cut: CommitCut) {
        end()
        state.withLock { $0.cut = nil }
        plan.made(cut)
    }
}
