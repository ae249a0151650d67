import Feed
import Testing

@Suite("Segments of a log")
struct LogSegmentTests {
    private static let row: [UInt8] = Array("{}".utf8)

    private func segment(from: Int64, head: Int64, hasRows: Bool = true, following: Int64? = nil) -> LogSegment {
        LogSegment(
            hasRows: hasRows, rows: hasRows ? [Self.row] : [], from: from, head: head, following: following)
    }

    @Test("A segment ends at the next multiple of a thousand, wherever it begins and however far the log is")
    func bounds() {
        for head: Int64 in [2000, 2001, 1_000_000] {
            #expect(segment(from: 1000, head: head) == .init(rows: [Self.row], next: 2000, isComplete: true))
            #expect(segment(from: 1999, head: head).next == 2000)
        }
        #expect(LogSegment.end(from: .max - 1) == .max)
    }

    @Test("What the log has not reached yet is no whole segment, and ends where the log does")
    func tail() {
        #expect(segment(from: 1000, head: 1999) == .init(rows: [Self.row], next: 1999, isComplete: false))
        #expect(segment(from: 1999, head: 1999, hasRows: false).next == 1999)
        #expect(segment(from: 5000, head: 1999, hasRows: false).next == 5000)
    }

    @Test("A hole is passed in one step, once it is known where it ends, and in the same for all")
    func holes() {
        // It may still grow.
        #expect(
            segment(from: 1000, head: 9_000_000, hasRows: false) == .init(rows: [], next: 9_000_000, isComplete: false))
        for head: Int64 in [7_001_235, 9_000_000] {
            #expect(
                segment(from: 1000, head: head, hasRows: false, following: 7_001_234)
                    == .init(rows: [], next: 7_001_000, isComplete: true))
        }
        #expect(segment(from: 1000, head: 9000, hasRows: false, following: 2000).next == 2000)
    }
}
