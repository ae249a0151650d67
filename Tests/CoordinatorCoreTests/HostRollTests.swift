import Testing

@testable import CoordinatorCore

@Suite("Hosts that restart one after another")
struct HostRollTests {
    private let start = ContinuousClock.now

    /// Of hosts that live on since the beginning.
    private func standings(_ completed: [String: Int]) -> [String: HostRoll.Standing] {
        completed.mapValues { HostRoll.Standing(life: "first", completed: $0) }
    }

    @Test("The next begins when the one before has completed one more")
    func order() {
        var roll = HostRoll()
        roll.begin(["a", "b"])
        #expect(roll.next(standings(["a": 3, "b": 0]), at: start) == [.restart("a")])
        #expect(roll.next(standings(["a": 3, "b": 0]), at: start) == [] && !roll.isOver)
        #expect(roll.next(standings(["a": 4, "b": 0]), at: start) == [.restart("b")])
        #expect(roll.next(standings(["a": 4, "b": 0]), at: start) == [] && !roll.isOver)
        #expect(roll.next(standings(["a": 4, "b": 1]), at: start) == [] && roll.isOver)
    }

    @Test("One that is heard no more is not waited for, nor one that has started anew, however soon")
    func gone() {
        var roll = HostRoll()
        roll.begin(["a", "b", "c", "d"])
        #expect(roll.next(standings(["a": 0, "c": 0, "d": 0]), at: start) == [.restart("a")])
        #expect(roll.next(standings(["c": 0, "d": 0]), at: start) == [.restart("c")], "a is gone, and b was not there")
        var anew = standings(["c": 0, "d": 0])
        anew["c"]!.life = "second"
        #expect(roll.next(anew, at: start) == [.restart("d")], "c counts from the beginning")
    }

    @Test("One that never comes to its end is given up, and the next has its turn")
    func late() {
        var roll = HostRoll()
        roll.begin(["a", "b"])
        let same = standings(["a": 0, "b": 0])
        #expect(roll.next(same, at: start) == [.restart("a")])
        #expect(roll.next(same, at: start + HostRoll.limit - .seconds(1)) == [])
        #expect(roll.next(same, at: start + HostRoll.limit) == [.giveUp("a"), .restart("b")])
        #expect(roll.next(same, at: start + HostRoll.limit * 2) == [.giveUp("b")] && roll.isOver)
    }
}
