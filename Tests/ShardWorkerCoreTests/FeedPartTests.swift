import Common
import JSONRecords
import ShardWorkerCore
import TestSupport
import Testing

@Suite("The feed messages of a batch", .timeLimit(.minutes(3)))
struct FeedPartTests {
    private static let readings = StreamDefinition(
        name: "readings", topics: ["t"], mode: .append, columns: [Column("id", .text, required: true)])

    /// What edges read of a transaction over a run of the batch, or over all of it.
    private func messages(_ fixture: BatchFixture, _ run: SplitRuns.Run? = nil, byteLimit: Int) -> [FeedMessage] {
        fixture.batch.feedParts(fixture.transaction(run), byteLimit: byteLimit).map { part in
            var writer = ByteWriter()
            FeedMessage.writeHeader(shard: 0, committedAt: 0, spans: part.spans, rowCount: part.rowCount, to: &writer)
            writer.append(fixture.batch.feed.bytes(part.rows))
            return FeedMessage(writer.bytes)!
        }
    }

    private func makeFixture() throws -> BatchFixture {
        let fixture = try BatchFixture(Self.readings, sources: 3)
        for offset in Int64(0)..<20 { fixture.add("{\"id\":\"a\(offset)\"}", offset: 2 * offset, source: 1) }
        for offset in Int64(0)..<10 { fixture.add(offset == 4 ? "nothing" : #"{"id":"b"}"#, offset: offset, source: 2) }
        for offset in Int64(20)..<30 { fixture.add("{\"id\":\"a\(offset)\"}", offset: 2 * offset, source: 1) }
        fixture.batch.advance(SourceID(rawValue: 1), to: 100)
        fixture.batch.advance(SourceID(rawValue: 3), to: 7)
        return fixture
    }

    @Test("All rows are there once, in order, whatever a message holds", arguments: [1, 100, 333, 1_000_000])
    func rows(byteLimit: Int) throws {
        let messages = messages(try makeFixture(), byteLimit: byteLimit)
        #expect((messages.count == 1) == (byteLimit == 1_000_000))
        let rows = messages.flatMap(\.rows)
        let offsets = { (source: Int32) in rows.filter { $0.source.rawValue == source }.map(\.offset) }
        #expect(offsets(1) == (0..<30).map { 2 * $0 })
        #expect(offsets(2) == [0, 1, 2, 3, 5, 6, 7, 8, 9])
        #expect(String(decoding: rows[19].json, as: UTF8.self) == #"{"id":"a19"}"#)
        #expect(rows.count == 39)
    }

    @Test("Spans join without a gap, and hold their message's rows", arguments: [1, 100, 333, 1_000_000])
    func spans(byteLimit: Int) throws {
        var reached = Dictionary(uniqueKeysWithValues: (1...3).map { (SourceID(rawValue: $0), Int64(0)) })
        for message in messages(try makeFixture(), byteLimit: byteLimit) {
            for span in message.spans {
                #expect(span.from == reached[span.source])
                reached[span.source] = span.to
            }
            for row in message.rows {
                let span = try #require(message.spans.first { $0.source == row.source })
                #expect(span.from <= row.offset && row.offset < span.to)
            }
        }
        #expect(reached.values.sorted() == [7, 10, 100])
    }

    @Test("A run has its own rows, one that became a dead letter none")
    func runs() throws {
        let fixture = try makeFixture()
        #expect(messages(fixture, .init(range: 22..<25), byteLimit: 1000).flatMap(\.rows).map(\.offset) == [2, 3])
        let refused = SplitRuns.Run(range: 3..<4, refusal: RecordRejection(.refused, "no"))
        let message = try #require(messages(fixture, refused, byteLimit: 1000).first)
        #expect(message.rows.isEmpty && message.spans.map(\.to) == [7])
    }

    @Test("Nothing is built where nobody follows")
    func unfollowed() throws {
        let fixture = try BatchFixture(Self.readings)
        fixture.batch.isPublished = false
        fixture.add(#"{"id":"a"}"#, offset: 0)
        #expect(fixture.batch.feed.count == 0)
    }
}
