import Common
import CoordinatorCore
import TestSupport
import Testing

@Suite("Assignment")
struct AssignmentTests {
    private func ids(_ range: Range<Int32>) -> Set<SourceID> { Set(range.map { SourceID(rawValue: $0) }) }

    @Test("Any change of shards and sources leaves it even, complete, and moves the fewest", arguments: 0..<200)
    func properties(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        var current: [SourceID: Int32] = [:]
        for _ in 0..<20 {
            let sources = ids(0..<Int32.random(in: 0...40, using: &random))
            let shards = Set((0..<Int32(10)).filter { _ in Bool.random(using: &random) }).union([Int32(seed % 10)])
            let next = Assignment.balance(sources, over: shards, current: current)
            #expect(Set(next.keys) == sources && Set(next.values).isSubset(of: shards))
            let counts = shards.map { shard in next.values.count { $0 == shard } }
            #expect(counts.max()! - counts.min()! <= 1)
            #expect(Assignment.balance(sources, over: shards, current: current) == next)
            // What no even assignment can keep has to move: per shard, what it holds above its greatest share.
            let kept = next.count { current[$0.key] == $0.value }
            let (share, rest) = sources.count.quotientAndRemainder(dividingBy: shards.count)
            let held = shards.map { shard in sources.count { current[$0] == shard } }.sorted(by: >)
            let best = held.enumerated().reduce(0) { $0 + min($1.element, $1.offset < rest ? share + 1 : share) }
            #expect(kept == best)
            current = next
        }
    }

    @Test("Without a shard nothing is assigned")
    func noShards() {
        #expect(Assignment.balance(ids(0..<3), over: [], current: [:]).isEmpty)
    }
}
