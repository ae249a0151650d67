import Foundation

/// How a command waits for a fleet, which tells nobody by itself what it has got to: it is asked again and again.
struct Patience {
    let limit: Duration

    private static let interval = 0.05

    /// False when the limit has passed before.
    func wait(until isDone: () throws -> Bool) rethrows -> Bool {
        let deadline = ContinuousClock.now + limit
        while !(try isDone()) {
            guard ContinuousClock.now < deadline else { return false }
            // Nothing to wait on: what is asked is another process.
            Thread.sleep(forTimeInterval: Self.interval)
        }
        return true
    }

    /// A little longer than workers, edges and private services are given to end, and then are killed.
    static let drain = Patience(limit: .seconds(45))
}
