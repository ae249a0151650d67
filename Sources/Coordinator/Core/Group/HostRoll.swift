/// Hosts that restart their workers one after another: the next begins when the one before is whole again. Pure.
struct HostRoll {
    /// What a host has said of itself.
    struct Standing: Equatable {
        /// Another one: it has started anew, and so have its workers.
        var life: String?
        /// Rolling restarts in this life.
        var completed: Int
    }

    enum Step: Equatable {
        case restart(String)
        /// It has not come to its end in time; perhaps it never heard of it.
        case giveUp(String)
    }

    static let limit = Duration.seconds(600)

    private var waiting: [String] = []
    private var current: (name: String, standing: Standing, since: ContinuousClock.Instant)?

    var isOver: Bool { current == nil && waiting.isEmpty }

    /// In this order, from the beginning.
    mutating func begin(_ names: [String]) {
        waiting = names
        current = nil
    }

    /// - Parameter standings: of each host that is heard. One that is not is left out: it is no longer there.
    /// - Returns: what is to be done now, in this order.
    mutating func next(_ standings: [String: Standing], at now: ContinuousClock.Instant) -> [Step] {
        var steps: [Step] = []
        if let current, standings[current.name] == current.standing {
            guard now - current.since >= Self.limit else { return [] }
            steps.append(.giveUp(current.name))
        }
        current = nil
        while !waiting.isEmpty {
            let name = waiting.removeFirst()
            guard let standing = standings[name] else { continue }
            current = (name, standing, now)
            return steps + [.restart(name)]
        }
        return steps
    }
}
