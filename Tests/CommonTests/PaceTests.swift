import Common
import Testing

@Suite("The pace of work that comes again and again")
struct PaceTests {
    private let start = ContinuousClock.now

    /// When work may begin again that began at 0 and took so many milliseconds.
    private func due(after milliseconds: Int) -> Int {
        var pace = Pace(oneIn: 3, longestInterval: .milliseconds(20))
        pace.begin(at: start)
        pace.end(at: start + .milliseconds(milliseconds))
        return Int((pace.due - start) / .milliseconds(1))
    }

    @Test(
        "Short work takes its part of the time, slower work begins once an interval, and still slower work follows at once"
    )
    func intervals() {
        #expect([0, 1, 2, 6, 7, 15, 20, 500].map(due) == [0, 3, 6, 18, 20, 20, 20, 20])
    }

    @Test("Work that was slow once goes on after as long a pause as before, work that stays slow after a longer one")
    func heldUp() {
        var pace = Pace(oneIn: 3, longestInterval: .milliseconds(100))
        var began = start
        let pauses = [2, 2, 12, 2, 12, 12, 2].map { milliseconds in
            pace.begin(at: began)
            let end = began + .milliseconds(milliseconds)
            pace.end(at: end)
            began = pace.due
            return Int((pace.due - end) / .milliseconds(1))
        }
        #expect(pauses == [4, 4, 4, 4, 4, 24, 4])
    }

    @Test("The first time it begins at once")
    func first() {
        #expect(Pace(oneIn: 3, longestInterval: .seconds(1)).due <= .now)
    }
}
