import Common
import Foundation
import TestSupport
import Testing

@Suite("A COMMIT whose answer is lost", .serialized, .timeLimit(.minutes(5)))
struct AmbiguousCommitTests {
    private static let total = 40_000
    private static let rounds = 4

    private static func stream(_ mode: StreamMode) -> StreamDefinition {
        StreamDefinition(
            name: "events", topics: [], mode: mode, key: mode == .append ? [] : ["k"],
            increments: mode == .increment ? ["n"] : [],
            columns: [Column("k", .text, required: true), Column("n", .bigint, required: true)])
    }

    private func values(_ range: Range<Int>) -> [String] {
        range.map { #"{"k":"key \#($0 % 7)","n":\#($0)}"# }
    }

    /// Three kinds of cut, some of them one after another, with transactions in between that pass.
    private static let round: [CommitCut?] = [
        .commitWithheld, nil, .answerWithheld, .answerNotAwaited, nil, .answerWithheld, .commitWithheld,
        .commitWithheld, .answerWithheld, .answerWithheld, nil,
    ]

    @Test(
        "Many COMMITs cut before and after they counted: each record is stored once and published at most once",
        arguments: [StreamMode.append, .increment])
    func cut(mode: StreamMode) throws {
        let fleet = try WorkerFleet(Self.stream(mode), isProxied: true)
        let proxy = try #require(fleet.proxy)
        try fleet.start(0, batchRowLimit: 200)
        let listener = try FeedListener(fleet.stream.name, folder: fleet.feedFolder)
        try fleet.assign(0)
        try fleet.wait("the feed's heads") { _ in
            try listener.collect()
            return listener.messageCount > 0
        }
        proxy.cut((0..<Self.rounds).flatMap { _ in Self.round })
        try fleet.kafka.produce(values(0..<Self.total), to: fleet.topic)
        // A trickle until every cut has been made.
        var produced = Self.total
        try fleet.wait("every cut; \(proxy.pendingCuts) are left", seconds: 120) { _ in
            if proxy.pendingCuts > 0 {
                try fleet.kafka.produce(values(produced..<(produced + 1)), to: fleet.topic)
                produced += 1
            }
            try listener.collect()
            return proxy.pendingCuts == 0
        }
        try fleet.waitForOffsets([Int64(produced)])
        try listener.collect()

        let cuts = proxy.cuts
        for kind in CommitCut.allCases {
            #expect(cuts[kind, default: 0] == Self.rounds * Self.round.count { $0 == kind }, "\(cuts)")
        }
        try fleet.expectExact(records: produced, rows: produced)
        #expect(try fleet.rows("SELECT count(*) FROM millrace.dead_letter") == ["0"])
        if mode == .append {
            #expect(try fleet.rows("SELECT count(*) FROM events WHERE n <> source_offset") == ["0"])
            let stored = Set(try fleet.rows("SELECT source_id, source_offset FROM events"))
            #expect(listener.published.subtracting(stored) == [])
        } else {
            let sums = (0..<7).map { key in stride(from: key, to: produced, by: 7).reduce(0, +) }
            #expect(try fleet.rows("SELECT n FROM events ORDER BY k") == sums.map(String.init))
        }
        #expect(listener.twice == [] && !listener.published.isEmpty)
        print("figure: \(mode): \(produced) records, cuts \(cuts), \(listener.published.count) rows heard")
    }
}
