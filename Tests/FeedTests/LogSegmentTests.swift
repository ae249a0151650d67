import Common
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

    @Test("Large rows end a segment early, at the same row whoever reads it and whatever they may see of it")
    func bytes() {
        let stream = StreamDefinition(
            name: "s", topics: [], mode: .append, columns: [Column("n", .bigint), Column("t", .text)])
        var one = RowFilter()
        one.choices = [.init(column: 0, values: [Array("1001".utf8)])]
        for (filter, count) in [(RowFilter(), 3), (one, 1)] {
            var rows = LogSegmentRows(from: 1000, RowChooser(filter, stream))
            for offset in Int64(1000)..<1010 {
                let json = Array("{\"n\":\(offset),\"t\":\"\(String(repeating: "x", count: 100_000))\"}".utf8)
                rows.add(.init(source: SourceID(rawValue: 1), offset: offset, version: 0, deleted: false, json: json))
            }
            #expect(rows.isFull)
            let segment = rows.segment(head: 5000, following: nil)
            #expect(segment.next == 1003 && segment.isComplete && segment.rows.count == count)
        }
        // The last offset of a segment ends it anyway, and what lies behind is none of it.
        var last = LogSegmentRows(from: 1999, RowChooser(RowFilter(), stream))
        for offset: Int64 in [1999, 2000] {
            last.add(
                .init(
                    source: SourceID(rawValue: 1), offset: offset, version: 0, deleted: false,
                    json: [UInt8](repeating: 0x20, count: 300_000)))
        }
        #expect(last.segment(head: 5000, following: nil).next == 2000)
        #expect(last.segment(head: 5000, following: nil).rows.count == 1)
    }
}
