import Common
import Testing

@testable import WSEdgeCore

@Suite("A ring's rows of one source")
struct StreamRingTests {
    private static let one = SourceID(rawValue: 1)
    private static let two = SourceID(rawValue: 2)

    private func offsets(_ ring: StreamRing, _ source: SourceID, from next: Int64, most: Int = .max) -> [Int64]? {
        var found: [Int64] = []
        let reachesBack = ring.forEachRow(of: source, from: next) { row in
            found.append(row.offset)
            return found.count < most
        }
        return reachesBack ? found : nil
    }

    @Test("They come from any offset that the ring reaches back to, and from none before")
    func rows() {
        // Three entries of two rows each fit.
        var ring = StreamRing(from: [Self.one: 10, Self.two: 5], byteLimit: 3 * (128 + 64 * 2 + 2 * (88 + 2 * 8)))
        for number in 0..<5 {
            let next = Int64(10 + 4 * number)
            let rows = [(Self.one, next), (Self.one, next + 2)].map { source, offset in
                FeedMessage.Row(
                    source: source, offset: offset, version: 0, deleted: false, json: Array("12345678".utf8))
            }
            ring.append(.init(rows: rows, position: [Self.one: next + 4, Self.two: Int64(6 + number)]))
        }
        #expect(offsets(ring, Self.one, from: 17) == nil)
        #expect(offsets(ring, Self.one, from: 18) == [18, 20, 22, 24, 26, 28])
        #expect(offsets(ring, Self.one, from: 19, most: 2) == [20, 22])
        #expect(offsets(ring, Self.one, from: 29) == [])
        #expect(offsets(ring, Self.one, from: 100) == [])
        // It has none, but it has been there.
        #expect(offsets(ring, Self.two, from: 8) == [])
        #expect(offsets(ring, Self.two, from: 6) == nil)
        #expect(offsets(ring, SourceID(rawValue: 3), from: 0) == nil)
    }
}
