import CoordinatorCore
import Kafka
import Testing

@Suite("A host's share of a group")
struct GroupShareTests {
    private let all = (0..<4).map { TopicPartition("events", $0) }
    private let start = ContinuousClock.now

    @Test("What is revoked stays with workers until others can have it, and is given back when no worker has any of it")
    func revoked() {
        var share = GroupShare()
        share.take(.assigned(all), at: start)
        share.take(.revoked([all[0], all[1]]), at: start)
        #expect(share.letGo(at: start + .milliseconds(699), isLeaving: false) == false)
        #expect(share.partitions == Set(all))
        #expect(share.takeFree(held: []) == [])
        #expect(share.letGo(at: start + .milliseconds(700), isLeaving: false) == true)
        #expect(share.letGo(at: start + .milliseconds(701), isLeaving: false) == false, "once")
        #expect(share.partitions == [all[2], all[3]])
        #expect(share.takeFree(held: [all[1], all[2]]) == [])
        #expect(share.takeFree(held: [all[2]]) == [all[0], all[1]])
        #expect(share.takeFree(held: []) == [], "once")
    }

    @Test("Whoever leaves gives back at once")
    func leaving() {
        var share = GroupShare()
        share.take(.assigned(all), at: start)
        share.take(.revoked(all), at: start)
        #expect(share.letGo(at: start, isLeaving: true) == true)
        #expect(share.partitions == [])
        #expect(share.takeFree(held: []) == all)
    }

    @Test("What is lost is others' already: nothing waits for it")
    func lost() {
        var share = GroupShare()
        share.take(.assigned(all), at: start)
        share.take(.revoked([all[0]]), at: start)
        share.take(.lost(all), at: start)
        #expect(share == GroupShare())
    }

    @Test("What was revoked and comes back is not given back")
    func returned() {
        var share = GroupShare()
        share.take(.assigned([all[3]]), at: start)
        share.take(.revoked([all[3]]), at: start)
        share.take(.assigned([all[3]]), at: start)
        #expect(share.letGo(at: start + .seconds(9), isLeaving: false) == false)
        #expect(share.partitions == [all[3]])
        #expect(share.takeFree(held: []) == [])
    }
}
