import Common
import CoordinatorCore
import Testing

@Suite("Sources of which nothing is read")
struct StallWatchTests {
    private func source(_ next: Int64, end: Int64, state: String = "running") -> StatusReport.Source {
        .init(
            id: SourceID(rawValue: 1), stream: "s", topic: "t", partition: 0, shard: 0, nextOffset: next,
            endOffset: end, state: state,
            reason: nil)
    }

    @Test(
        "Records that wait for a minute while nothing is read are told; those of a source that moves, or is paused, are not"
    )
    func stall() {
        var watch = StallWatch()
        let start = ContinuousClock.now
        func seconds(_ source: StatusReport.Source, _ time: Int) -> Int? {
            watch.note([source], at: start + .seconds(time))
            return watch.seconds(SourceID(rawValue: 1), at: start + .seconds(time))
        }
        #expect(seconds(source(5, end: 9), 0) == nil)
        #expect(seconds(source(5, end: 12), 59) == nil)
        #expect(seconds(source(5, end: 12), 61) == 61)
        #expect(seconds(source(6, end: 12), 62) == nil)
        #expect(seconds(source(6, end: 12), 130) == 68)
        #expect(seconds(source(6, end: 12, state: "paused"), 131) == nil)
        #expect(seconds(source(6, end: 12), 132) == nil)
        #expect(seconds(source(12, end: 12), 300) == nil)
    }
}
