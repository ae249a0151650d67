import JSONRecords
import Postgres
import ShardWorkerCore
import Testing

@Suite("Runs of a batch")
struct SplitRunsTests {
    private let refused = PostgresError(operation: "execute", sqlState: "23514", message: "no")

    private func ranges(_ runs: SplitRuns) -> [Range<Int>] {
        var (runs, ranges) = (runs, [Range<Int>]())
        while let run = runs.next {
            ranges.append(run.range)
            runs.finish()
        }
        return ranges
    }

    @Test("A limit makes runs of so many rows, in their order, to the last row")
    func limit() {
        #expect(ranges(SplitRuns(0..<10, limit: 4)) == [0..<4, 4..<8, 8..<10])
        #expect(ranges(SplitRuns(0..<10, limit: 100)) == [0..<10])
        #expect(ranges(SplitRuns(0..<10)) == [0..<10])
        // Positions without rows are a run too.
        #expect(ranges(SplitRuns(0..<0, limit: 4)) == [0..<0] && ranges(SplitRuns(0..<0)) == [0..<0])
    }

    @Test("A run that takes too long is halved down to one row, and makes no dead letter")
    func shorten() {
        var runs = SplitRuns(0..<5)
        #expect(runs.shorten() == 3 && ranges(runs) == [0..<2, 2..<5])
        #expect(runs.shorten() == 1 && ranges(runs) == [0..<1, 1..<2, 2..<5])
        #expect(runs.shorten() == nil && ranges(runs) == [0..<1, 1..<2, 2..<5])
        #expect(runs.next?.refusal == nil)
    }

    @Test("A refused row is a dead letter, then one without content, then nobody's to solve")
    func refusedLetter() {
        var runs = SplitRuns(0..<1)
        var results = [runs.split(because: refused)]
        #expect(runs.next?.refusal != nil && runs.next?.isBare == false)
        results.append(runs.split(because: refused))
        #expect(runs.next?.isBare == true)
        results.append(runs.split(because: refused))
        #expect(results == [true, true, false])
    }

    @Test(
        "What an error means",
        arguments: [
            ("57014", .timeout), ("57P01", .outage), ("40P01", .retryTransaction), ("42703", .stream),
            ("XX000", .stream), ("P0001", .record), ("21000", .record), ("MR003", .tableChanged), ("MR004", .record),
            ("MR001", .claimLost), ("3F000", .stream), ("25P02", .stream), ("55P03", .stream), ("U0001", .record),
            ("72000", .stream),
        ] as [(String, PostgresError.Disposition)])
    func disposition(state: String, expected: PostgresError.Disposition) {
        #expect(PostgresError(operation: "x", sqlState: state, message: "").disposition == expected)
    }
}
