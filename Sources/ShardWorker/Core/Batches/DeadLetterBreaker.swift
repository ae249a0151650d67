/// Notices that a stream's records are mostly dead letters: more likely a wrong schema than wrong records.
///
/// "Recent" are the last one to two times `recordCount` records.
struct DeadLetterBreaker {
    private let recordCount: Int
    private var records = 0
    private var dead = 0

    /// - Parameter recordCount: so many have to be seen before it can trip.
    init(recordCount: Int) {
        self.recordCount = max(1, recordCount)
    }

    /// Why the stream should stop, if it should.
    mutating func add(records count: Int, dead deadCount: Int) -> String? {
        records += count
        dead += deadCount
        guard records >= recordCount else { return nil }
        if dead * 2 > records { return "\(dead) of the last \(records) records were dead letters" }
        if records >= 2 * recordCount {
            records /= 2
            dead /= 2
        }
        return nil
    }

    mutating func reset() {
        records = 0
        dead = 0
    }
}
