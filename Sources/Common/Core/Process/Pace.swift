/// How soon a piece of work that comes again and again may begin again. Work that begins less often does more at once, so where
/// the processor is short, pauses as long as the work itself is slow give it to others. A pure value.
package struct Pace: Sendable {
    /// The work may take one part in so many of the time, unless it takes longer than the interval.
    private let parts: Int
    /// No longer than that from one beginning to the next, however slow the work is: then one follows the other at once.
    private let longestInterval: Duration
    /// Of work that is under way.
    private var began: ContinuousClock.Instant?
    /// How long the last work took.
    private var last: Duration?
    /// When the work may begin the next time.
    package private(set) var due = ContinuousClock.now

    package init(oneIn parts: Int, longestInterval: Duration) {
        self.parts = parts
        self.longestInterval = longestInterval
    }

    package var isUnderWay: Bool { began != nil }

    package mutating func begin(at now: ContinuousClock.Instant) { began = now }

    package mutating func end(at now: ContinuousClock.Instant) {
        guard let began else { return }
        self.began = nil
        let length = now - began
        // What held up this work alone, a disk or another process, was no lack of the processor, and is over.
        let usual = min(length, last ?? length)
        last = length
        due = began + min(length + usual * (parts - 1), longestInterval)
    }
}
