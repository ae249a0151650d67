/// Hosts that restart their workers one after another: the next begins when the one before is whole again. Pure.
struct HostRoll {
    private var waiting: [String] = []
    private var current: (name: String, completed: Int)?

    var isOver: Bool { current == nil && waiting.isEmpty }

    /// In this order, from the beginning.
    mutating func begin(_ names: [String]) {
        waiting = names
        current = nil
    }

    /// - Parameter completed: how many rolling restarts each host that is heard has completed. One that is not is left out: it is no
    ///   longer there, or it starts anew, and so do its workers.
    /// - Returns: whose turn it is now, if it is anybody's anew.
    mutating func next(_ completed: [String: Int]) -> String? {
        if let current, let count = completed[current.name], count == current.completed { return nil }
        current = nil
        while !waiting.isEmpty {
            let name = waiting.removeFirst()
            guard let count = completed[name] else { continue }
            current = (name, count)
            return name
        }
        return nil
    }
}
