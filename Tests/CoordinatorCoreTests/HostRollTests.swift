import Testing

@testable import CoordinatorCore

@Suite("Hosts that restart one after another")
struct HostRollTests {
    @Test("The next begins when the one before has completed one more")
    func order() {
        var roll = HostRoll()
        roll.begin(["a", "b"])
        #expect(roll.next(["a": 3, "b": 0]) == "a")
        #expect(roll.next(["a": 3, "b": 0]) == nil && !roll.isOver)
        #expect(roll.next(["a": 4, "b": 0]) == "b")
        #expect(roll.next(["a": 4, "b": 0]) == nil && !roll.isOver)
        #expect(roll.next(["a": 4, "b": 1]) == nil && roll.isOver)
    }

    @Test("One that is heard no more is not waited for, nor one that has started anew")
    func gone() {
        var roll = HostRoll()
        roll.begin(["a", "b", "c", "d"])
        #expect(roll.next(["a": 0, "c": 7, "d": 0]) == "a")
        #expect(roll.next(["c": 7, "d": 0]) == "c", "a is gone, and b was not there")
        #expect(roll.next(["c": 0, "d": 0]) == "d", "c counts from the beginning")
    }
}
