import Common
import Feed
import TestSupport
import Testing

@testable import WSEdgeCore

/// A stream with its table and a ring, and subscribers who read from either. Every source's rows are its offsets.
private struct SimulatedStream {
    var ring: StreamRing
    /// Rows of each source, as the table holds them.
    var stored: [SourceID: [Int64]] = [:]

    init(sources: Int32, ringByteLimit: Int) {
        let start = Dictionary(uniqueKeysWithValues: (0..<sources).map { (SourceID(rawValue: $0), Int64(0)) })
        ring = StreamRing(from: start, byteLimit: ringByteLimit)
    }

    /// Commits so many rows of a source, with a hole (a dead letter) after each third.
    mutating func commit(_ source: SourceID, _ count: Int) {
        var next = ring.position[source] ?? 0
        var rows: [FeedMessage.Row] = []
        for _ in 0..<count {
            if next % 4 != 3 {
                rows.append(
                    .init(source: source, offset: next, version: 0, deleted: false, json: Array("12345678".utf8)))
                stored[source, default: []].append(next)
            }
            next += 1
        }
        ring.append(.init(rows: rows, position: [source: next]))
    }

    /// As Postgres would answer, at most `limit` rows.
    func read(_ span: FeedMessage.Span, limit: Int) -> ReplayedRows {
        let found = (stored[span.source] ?? []).filter { $0 >= span.from && $0 < span.to }.prefix(limit)
        let rows = found.map {
            FeedMessage.Row(source: span.source, offset: $0, version: 0, deleted: false, json: [1])
        }
        return ReplayedRows(rows: rows, end: rows.count == limit ? rows.last!.offset + 1 : span.to)
    }
}

private struct SimulatedSubscriber {
    var cursor: LogCursor
    var got: [SourceID: [Int64]] = [:]
    var pending: FeedMessage.Span?
    var readCount = 0

    init(from position: [SourceID: Int64]?, _ stream: SimulatedStream) {
        cursor = LogCursor(from: position, in: stream.ring)
    }

    private mutating func take(_ rows: [FeedMessage.Row]) {
        for row in rows { got[row.source, default: []].append(row.offset) }
    }

    /// At most so many steps; reads are answered at once unless `isAway`.
    mutating func run(_ stream: SimulatedStream, steps: Int = .max, readLimit: Int = 10, isAway: Bool = false) {
        for _ in 0..<steps {
            if let span = pending {
                guard !isAway else { return }
                let replayed = stream.read(span, limit: readLimit)
                pending = nil
                take(replayed.rows)
                cursor.take(span.source, replayed)
                continue
            }
            switch cursor.step(stream.ring) {
            case .shared(let number): take(stream.ring[number].rows)
            case .own(let entry): take(entry.rows)
            case .merged(let numbers): for number in numbers { take(stream.ring[number].rows) }
            case .read(let span):
                pending = span
                readCount += 1
            case .wait: return
            }
        }
    }
}

@Suite("A subscriber's place in a stream")
struct LogCursorTests {
    private let first = SourceID(rawValue: 0)
    private let second = SourceID(rawValue: 1)

    @Test("One who begins now gets what is committed from then on, without Postgres")
    func now() {
        var stream = SimulatedStream(sources: 2, ringByteLimit: 1 << 20)
        stream.commit(first, 10)
        var subscriber = SimulatedSubscriber(from: nil, stream)
        stream.commit(second, 3)
        stream.commit(first, 2)
        subscriber.run(stream)
        #expect(subscriber.got == [first: [10], second: [0, 1, 2]])
        #expect(subscriber.readCount == 0 && subscriber.cursor.position == stream.ring.position)
    }

    @Test("One who comes back soon goes on from the ring, without rows that it has, and without Postgres")
    func fromTheRing() {
        var stream = SimulatedStream(sources: 2, ringByteLimit: 1 << 20)
        for _ in 0..<10 {
            stream.commit(first, 4)
            stream.commit(second, 4)
        }
        // In the middle of an entry of one source, at the end of the other.
        var subscriber = SimulatedSubscriber(from: [first: 18, second: 40], stream)
        subscriber.run(stream)
        #expect(subscriber.got[first] == stream.stored[first]!.filter { $0 >= 18 })
        #expect(subscriber.got[second] == nil && subscriber.readCount == 0)
        #expect(subscriber.cursor.position == stream.ring.position)
    }

    @Test("One who is ahead of this edge waits for it, and gets nothing twice")
    func ahead() {
        var stream = SimulatedStream(sources: 2, ringByteLimit: 1 << 20)
        stream.commit(first, 4)
        var subscriber = SimulatedSubscriber(from: [first: 6, second: 0], stream)
        subscriber.run(stream)
        #expect(subscriber.got == [:])
        stream.commit(first, 4)
        stream.commit(second, 1)
        subscriber.run(stream)
        #expect(subscriber.got == [first: [6], second: [0]])
    }

    @Test("While a stream flows faster than one source is read, a subscriber from the beginning gets live all the same")
    func busy() {
        var stream = SimulatedStream(sources: 8, ringByteLimit: 20_000)
        let sources = (Int32(0)..<8).map { SourceID(rawValue: $0) }
        for source in sources { stream.commit(source, 2000) }
        var subscriber = SimulatedSubscriber(from: [:], stream)
        #expect(subscriber.cursor.isBehind)
        var turns = 0
        // Each turn all sources together move by as much as one reading brings: with a target that moves along it would
        // read for ever.
        while subscriber.cursor.isBehind, turns < 20_000 {
            turns += 1
            for source in sources { stream.commit(source, 1) }
            subscriber.run(stream, steps: 4, readLimit: 10)
        }
        #expect(!subscriber.cursor.isBehind, "not live after \(turns) turns")
        subscriber.run(stream)
        for source in sources { #expect(subscriber.got[source] == stream.stored[source]) }
    }

    @Test("Sources take turns: the last one is not kept waiting for all of the first")
    func turns() {
        var stream = SimulatedStream(sources: 3, ringByteLimit: 100)
        for source in 0..<Int32(3) { stream.commit(SourceID(rawValue: source), 1000) }
        stream.commit(first, 1)
        var subscriber = SimulatedSubscriber(from: [:], stream)
        subscriber.run(stream, steps: 12, readLimit: 10)
        #expect(subscriber.got.count == 3)
    }

    @Test("Whatever the ring drops, whoever is slow, and wherever it resumes, each row comes once and in order")
    func property() {
        for seed in UInt64(0)..<300 {
            var random = SeededGenerator(seed: seed)
            var stream = SimulatedStream(sources: 3, ringByteLimit: Int.random(in: 100...5000, using: &random))
            let sources = (Int32(0)..<3).map { SourceID(rawValue: $0) }
            func commit() {
                stream.commit(sources.randomElement(using: &random)!, Int.random(in: 0...9, using: &random))
            }
            for _ in 0..<Int.random(in: 0...60, using: &random) { commit() }
            var start: [SourceID: Int64] = [:]
            for source in sources {
                start[source] = Int64.random(in: 0...(stream.ring.position[source]! + 5), using: &random)
            }
            var subscriber = SimulatedSubscriber(from: start, stream)
            for _ in 0..<Int.random(in: 0...80, using: &random) {
                commit()
                if Bool.random(using: &random) {
                    subscriber.run(
                        stream, steps: Int.random(in: 0...3, using: &random),
                        readLimit: Int.random(in: 1...20, using: &random),
                        isAway: Int.random(in: 0...3, using: &random) == 0)
                }
            }
            // Past where it said to be already.
            for source in sources { stream.commit(source, 10) }
            subscriber.run(stream)
            for source in sources {
                let expected = (stream.stored[source] ?? []).filter { $0 >= start[source]! }
                #expect(subscriber.got[source] ?? [] == expected, "seed \(seed), source \(source)")
            }
            #expect(!subscriber.cursor.isBehind)
        }
    }
}
