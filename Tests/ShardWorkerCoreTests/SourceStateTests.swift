import Common
import Kafka
import Testing

@testable import ShardWorkerCore

@Suite("A source in a worker's hands")
struct SourceStateTests {
    private func source(at offset: Int64) -> SourceState {
        var ledger = LedgerEntry(openedAt: offset)
        ledger.to = offset
        return SourceState(
            id: SourceID(rawValue: 1), partition: TopicPartition("t", 0), lane: 0, cluster: "c", ledger: ledger)
    }

    @Test(
        "Offsets that are jumped over are a hole where the log reaches back to them, and lost where it begins behind them",
        arguments: [
            // Markers of a transaction, compacted records.
            (Int64?(0), Int64(51), true), (50, 60, true), (nil, 51, true),
            // Retention has deleted what was not read yet.
            (51, 51, false), (55, 60, false),
            // The record was there when it was fetched: the broker would have refused to jump before that.
            (61, 60, true),
        ])
    func holes(logStart: Int64?, offset: Int64, isHole: Bool) {
        #expect(source(at: 50).isHole(upTo: offset, logStart: logStart) == isHole)
    }

    @Test("What waits behind an open transaction is told after a while, for as long as the end stays where it is")
    func heldBack() {
        let source = source(at: 50)
        let start = ContinuousClock.now
        #expect(source.heldBack(high: 60, at: start) == nil, "the end was not read yet")
        source.end = 50
        #expect(source.heldBack(high: 60, at: start) == nil)
        #expect(source.heldBack(high: 60, at: start + .seconds(9)) == nil)
        #expect(source.heldBack(high: 70, at: start + .seconds(12)) == .init(offsets: 20, seconds: 12))
        // It moves: others may hold it up later.
        source.taken = 55
        source.end = 55
        #expect(source.heldBack(high: 70, at: start + .seconds(13)) == nil)
        #expect(source.heldBack(high: 70, at: start + .seconds(23)) == .init(offsets: 15, seconds: 10))
        source.end = 70
        source.taken = 70
        #expect(source.heldBack(high: 70, at: start + .seconds(50)) == nil)
    }
}
