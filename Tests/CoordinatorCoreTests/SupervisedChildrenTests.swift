import Common
import CoordinatorCore
import Testing

@Suite("Children beside the workers")
struct SupervisedChildrenTests {
    private let start = ContinuousClock.now
    private let edge = ChildName.edge("127.0.0.1:8080")

    private func running(_ names: [ChildName]) -> SupervisedChildren {
        var children = SupervisedChildren()
        for (index, name) in names.enumerated() {
            #expect(children.start(name) == [.spawn(name)])
            children.spawned(name, pid: Int32(index + 1))
        }
        return children
    }

    @Test("One that ends is started again after its backoff, which grows")
    func backoff() {
        var children = running([edge])
        var now = start
        for life in 1..<6 {
            #expect(children.exited(edge, ChildExit(pid: Int32(life), status: 1), at: now, random: 1) == [])
            let due = children.nextTick!
            #expect(due - now == .seconds(0.1 * Double(1 << (life - 1))))
            #expect(children.tick(at: due - .milliseconds(1)) == [])
            #expect(children.tick(at: due) == [.spawn(edge)])
            #expect(children.children[edge]?.restarts == life)
            children.spawned(edge, pid: Int32(life + 1))
            now = due
        }
        #expect(children.nextTick == nil)
    }

    @Test("One that can't be spawned is tried again too; an exit of a former life changes nothing")
    func oldNews() {
        var children = running([edge])
        #expect(children.exited(edge, ChildExit(pid: 1, status: 9, isSignal: true), at: start, random: 0) == [])
        #expect(children.tick(at: start) == [.spawn(edge)])
        #expect(children.exited(edge, nil, at: start, random: 1) == [])
        #expect(children.tick(at: children.nextTick!) == [.spawn(edge)])
        children.spawned(edge, pid: 2)
        #expect(children.exited(edge, ChildExit(pid: 1, status: 0), at: start, random: 0) == [])
        #expect(children.children[edge]?.pid == 2)
    }

    @Test("What only a person can mend is not tried in a tight loop", arguments: [ExitCode.usage, .configuration])
    func refused(code: ExitCode) {
        var children = running([edge])
        _ = children.exited(edge, ChildExit(pid: 1, status: code.rawValue), at: start, random: 0)
        #expect(children.children[edge]?.stateName == "failed")
        #expect(children.nextTick == start + SupervisedChildren.refusedInterval)
    }

    @Test("They end in their ranks: producers, edges, services; those without a process at once")
    func ranks() {
        var children = running([.postgres, .kafka, edge, .producer, .edge("127.0.0.1:8081")])
        _ = children.exited(.edge("127.0.0.1:8081"), ChildExit(pid: 5, status: 1), at: start, random: 1)
        #expect(children.end(through: .producers, at: start) == [.end(.producer)])
        #expect(!children.isGone(through: .producers))
        #expect(children.exited(.producer, ChildExit(pid: 4, status: 0), at: start, random: 0) == [])
        #expect(children.isGone(through: .producers))
        #expect(children.end(through: .edges, at: start) == [.end(edge)])
        // Told once.
        #expect(children.end(through: .edges, at: start) == [])
        _ = children.exited(edge, ChildExit(pid: 3, status: 0), at: start, random: 0)
        #expect(children.isGone(through: .edges) && !children.isGone(through: .services))
        #expect(children.tick(at: start + .seconds(60)) == [])
        #expect(children.end(through: .services, at: start) == [.end(.kafka), .end(.postgres)])
        // One that ends by itself meanwhile is not wanted again either.
        for (name, pid) in [(ChildName.kafka, Int32(2)), (.postgres, 1)] {
            #expect(children.exited(name, ChildExit(pid: pid, status: 0), at: start, random: 0) == [])
        }
        #expect(children.isGone(through: .services))
    }

    @Test("One that does not end in its time is killed once; a second stop kills at once")
    func kill() {
        var children = running([edge, .postgres])
        _ = children.end(through: .edges, at: start)
        #expect(children.nextTick == start + SupervisedChildren.endLimit)
        #expect(children.tick(at: start + SupervisedChildren.endLimit) == [.kill(edge)])
        #expect(children.tick(at: start + .seconds(60)) == [])
        _ = children.exited(edge, ChildExit(pid: 1, status: 9, isSignal: true), at: start, random: 0)
        _ = children.end(through: .services, at: start)
        #expect(children.hurry(through: .edges) == [])
        #expect(children.hurry(through: .services) == [.kill(.postgres)])
    }

    @Test("A restart is no crash: it starts again at once, unless it is to end meanwhile")
    func restart() {
        var children = running([.producer])
        #expect(children.restart(.producer, at: start) == [.end(.producer)])
        #expect(children.exited(.producer, ChildExit(pid: 1, status: 0), at: start, random: 1) == [.spawn(.producer)])
        children.spawned(.producer, pid: 2)
        #expect(children.restart(.producer, at: start) == [.end(.producer)])
        #expect(children.end(through: .producers, at: start) == [])
        #expect(children.exited(.producer, ChildExit(pid: 2, status: 0), at: start, random: 1) == [])
        #expect(children.isGone(through: .producers))
    }
}
