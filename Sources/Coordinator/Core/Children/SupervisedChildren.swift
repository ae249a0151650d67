import Common

/// Decides about the children beside the workers: edges, the demo's producer, private services. Events go in, actions
/// come out, nothing waits.
///
/// What has ended is started again after its backoff, until it is told to end.
package struct SupervisedChildren: Sendable {
    package enum Action: Equatable, Sendable {
        case spawn(ChildName)
        /// In its own time, which is limited.
        case end(ChildName)
        case kill(ChildName)
    }

    package enum State: Equatable, Sendable {
        case running
        case backoff(until: ContinuousClock.Instant)
        /// As `backoff`, but for something that a person has to mend.
        case refused(until: ContinuousClock.Instant)
        /// Was told to end, then.
        case ending(since: ContinuousClock.Instant)
    }

    package struct Child: Sendable {
        package fileprivate(set) var state = State.running
        /// Nil while there is no process.
        package fileprivate(set) var pid: Int32?
        package fileprivate(set) var restarts = 0
        /// Why it was started again.
        package fileprivate(set) var lastExit: ChildExit?
        fileprivate var backoff = Backoff()
        /// Ends to be started again.
        fileprivate var isRestarting = false
        fileprivate var isKilled = false
    }

    /// Longer than an edge needs to drain, and a keeper to end what it keeps.
    package static let endLimit = Duration.seconds(12)
    /// What ended for a reason that only a person can mend is tried again so often.
    package static let refusedInterval = Duration.seconds(30)

    package private(set) var children: [ChildName: Child] = [:]
    /// Those up to here are wanted no more.
    private var endedRank: ChildName.Rank?

    package init() {}

    /// Whether all of them up to a rank are gone.
    package func isGone(through rank: ChildName.Rank) -> Bool {
        !children.keys.contains { $0.rank <= rank }
    }

    // MARK: Events

    package mutating func start(_ name: ChildName) -> [Action] {
        guard children[name] == nil else { return [] }
        children[name] = Child()
        return [.spawn(name)]
    }

    package mutating func spawned(_ name: ChildName, pid: Int32) {
        children[name]?.pid = pid
    }

    /// - Parameters:
    ///   - exit: nil when it could not even be spawned.
    ///   - random: from 0 to 1, for the backoff.
    package mutating func exited(
        _ name: ChildName, _ exit: ChildExit?, at now: ContinuousClock.Instant, random: Double
    ) -> [Action] {
        // An exit of its former life is old news.
        guard var child = children[name], child.pid == exit?.pid else { return [] }
        child.pid = nil
        child.isKilled = false
        if let endedRank, name.rank <= endedRank {
            children[name] = nil
            return []
        }
        child.restarts += 1
        child.lastExit = exit
        if child.isRestarting {
            child.isRestarting = false
            child.state = .running
            children[name] = child
            return [.spawn(name)]
        }
        let delay = child.backoff.crashed(at: now, random: random)
        child.state =
            exit?.isUsersToMend == true ? .refused(until: now + Self.refusedInterval) : .backoff(until: now + delay)
        children[name] = child
        return []
    }

    /// Ends one, and starts it again.
    package mutating func restart(_ name: ChildName, at now: ContinuousClock.Instant) -> [Action] {
        guard let child = children[name], child.pid != nil, child.state == .running else { return [] }
        children[name]!.isRestarting = true
        children[name]!.state = .ending(since: now)
        return [.end(name)]
    }

    /// Ends those up to a rank, for good.
    package mutating func end(through rank: ChildName.Rank, at now: ContinuousClock.Instant) -> [Action] {
        endedRank = max(rank, endedRank ?? rank)
        var actions: [Action] = []
        for name in names(through: rank) {
            if children[name]!.pid == nil {
                children[name] = nil
            } else if case .ending = children[name]!.state {
                children[name]!.isRestarting = false
            } else {
                children[name]!.state = .ending(since: now)
                actions.append(.end(name))
            }
        }
        return actions
    }

    /// Nobody waits for those up to a rank that are ending.
    package mutating func hurry(through rank: ChildName.Rank) -> [Action] {
        names(through: rank).filter { if case .ending = children[$0]!.state { true } else { false } }.map { kill($0) }
    }

    /// Time passes: when `nextTick` says.
    package mutating func tick(at now: ContinuousClock.Instant) -> [Action] {
        var actions: [Action] = []
        for name in names(through: .services) {
            switch children[name]!.state {
            case .backoff(let until), .refused(let until):
                guard until <= now else { continue }
                children[name]!.state = .running
                actions.append(.spawn(name))
            case .ending(let since):
                if !children[name]!.isKilled, now - since >= Self.endLimit { actions.append(kill(name)) }
            case .running: break
            }
        }
        return actions
    }

    private mutating func kill(_ name: ChildName) -> Action {
        children[name]!.isKilled = true
        return .kill(name)
    }

    package var nextTick: ContinuousClock.Instant? {
        children.values.compactMap { child in
            switch child.state {
            case .backoff(let until), .refused(let until): until
            case .ending(let since): child.isKilled ? nil : since + Self.endLimit
            case .running: nil
            }
        }.min()
    }

    /// In one order each time.
    private func names(through rank: ChildName.Rank) -> [ChildName] {
        children.keys.filter { $0.rank <= rank }.sorted {
            ($0.rank, $0.description) < ($1.rank, $1.description)
        }
    }
}

extension SupervisedChildren.Child {
    /// The word in `status`.
    package var stateName: String {
        switch state {
        case .running: "running"
        case .backoff: "backoff"
        case .refused: "failed"
        case .ending: "draining"
        }
    }
}
