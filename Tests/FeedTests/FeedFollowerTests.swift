import Common
import TestSupport
import Testing

@testable import Feed

@Suite("A feed followed")
struct FeedFollowerTests {
    private let source = SourceID(rawValue: 1)

    private func rows(_ offsets: Range<Int64>, _ source: SourceID? = nil) -> [FeedMessage.Row] {
        offsets.map { .init(source: source ?? self.source, offset: $0, version: 0, deleted: false, json: [1, 2]) }
    }

    private func message(_ offsets: Range<Int64>, _ source: SourceID? = nil) -> FeedMessage {
        let span = FeedMessage.Span(source: source ?? self.source, from: offsets.lowerBound, to: offsets.upperBound)
        return FeedMessage(shard: 0, committedAt: 0, spans: [span], rows: rows(offsets, source))
    }

    @Test("What follows is delivered at once, what was delivered before is trimmed")
    func overlap() {
        var follower = FeedFollower(from: [source: 10])
        #expect(follower.receive(message(0..<10)).isEmpty)
        let delivery = follower.receive(message(5..<15))
        #expect(delivery.rows == rows(10..<15))
        #expect(delivery.position == [source: 15])
        #expect(follower.repairs.isEmpty)
    }

    @Test("What comes after a gap waits until the gap was read, and follows it")
    func gap() {
        var follower = FeedFollower(from: [source: 0])
        #expect(follower.receive(message(5..<8)).isEmpty)
        #expect(follower.receive(message(8..<9)).isEmpty)
        #expect(follower.repairs == [.init(source: source, from: 0, to: 5)])
        let piece = follower.repair(source, ReplayedRows(rows: rows(0..<3), end: 3))
        #expect(piece.rows == rows(0..<3))
        #expect(follower.repairs == [.init(source: source, from: 3, to: 5)])
        let rest = follower.repair(source, ReplayedRows(rows: rows(3..<5), end: 5))
        #expect(rest.rows == rows(3..<9))
        #expect(rest.position == [source: 9])
        #expect(follower.repairs.isEmpty)
        #expect(follower.repairCount == 1)
    }

    @Test("Beyond the limit of what may wait, it is read as well")
    func waitingLimit() {
        var follower = FeedFollower(from: [source: 0], waitingByteLimit: 100)
        _ = follower.receive(message(5..<6))
        _ = follower.receive(message(6..<200))
        #expect(follower.repairs == [.init(source: source, from: 0, to: 200)])
        #expect(follower.repair(source, ReplayedRows(rows: rows(0..<200), end: 200)).rows == rows(0..<200))
    }

    @Test("Rows that retention has deleted are told as lost")
    func retention() {
        var follower = FeedFollower(from: [source: 2])
        _ = follower.receive(message(8..<9))
        let delivery = follower.repair(source, ReplayedRows(rows: rows(6..<8), end: 8, retainedFrom: 6))
        #expect(delivery.lost == [.init(source: source, from: 2, to: 6)])
        #expect(delivery.rows == rows(6..<9))
    }

    @Test("A source that the subscriber never saw is read from its beginning, and nothing before that is lost")
    func newSource() {
        var follower = FeedFollower(from: [:])
        _ = follower.receive(message(105..<106))
        #expect(follower.repairs == [.init(source: source, from: 0, to: 105)])
        let replayed = ReplayedRows(rows: rows(100..<105), end: 105, start: 100, retainedFrom: 100)
        let delivery = follower.repair(source, replayed)
        #expect(delivery.lost.isEmpty)
        #expect(delivery.rows == rows(100..<106))
    }

    @Test("Whatever is dropped, repeated or late, and wherever it resumes, each row comes once and in order")
    func anyOrder() {
        for seed in UInt64(0)..<300 {
            var random = SeededGenerator(seed: seed)
            let sources = [SourceID(rawValue: 1), SourceID(rawValue: 2)]
            var committed: [SourceID: Int64] = [:]
            var position: [SourceID: Int64] = [:]
            var seen: [SourceID: [Int64]] = [:]
            var late: [FeedMessage] = []
            var follower = FeedFollower(from: [:], waitingByteLimit: 2000)

            func take(_ delivery: FeedDelivery) {
                for row in delivery.rows { seen[row.source, default: []].append(row.offset) }
                position.merge(delivery.position) { $1 }
            }
            func repairAPiece() {
                for span in follower.repairs {
                    #expect(span.to <= committed[span.source, default: 0], "seed \(seed)")
                    let end = min(span.to, span.from + 7)
                    take(follower.repair(span.source, ReplayedRows(rows: rows(span.from..<end, span.source), end: end)))
                }
            }
            for _ in 0..<200 {
                let source = sources.randomElement(using: &random)!
                let from = committed[source, default: 0]
                let to = from + Int64.random(in: 0...9, using: &random)
                committed[source] = to
                let published = message(from..<to, source)
                switch Int.random(in: 0..<10, using: &random) {
                case 0: break  // dropped
                case 1: late.append(published)
                case 2:
                    take(follower.receive(published))
                    take(follower.receive(published))
                case 3 where !late.isEmpty: take(follower.receive(late.removeFirst()))
                case 4: repairAPiece()
                case 5: follower = FeedFollower(from: position, waitingByteLimit: 2000)
                default: take(follower.receive(published))
                }
            }
            for source in sources {
                take(follower.receive(message(committed[source, default: 0]..<committed[source, default: 0], source)))
            }
            while !follower.repairs.isEmpty { repairAPiece() }
            for source in sources {
                #expect(seen[source, default: []] == Array(0..<committed[source, default: 0]), "seed \(seed)")
            }
            #expect(position.filter { $0.value > 0 } == committed.filter { $0.value > 0 }, "seed \(seed)")
        }
    }
}
