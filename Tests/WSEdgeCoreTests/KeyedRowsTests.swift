import Common
import Feed
import Testing

@testable import WSEdgeCore

@Suite("The rows of a table that somebody filters")
struct KeyedRowsTests {
    private static let stream = StreamDefinition(
        name: "things", topics: [], mode: .upsert, key: ["id"], columns: [Column("id", .text), Column("n", .bigint)])
    private static let source = SourceID(rawValue: 1)

    private func row(_ version: Int64, at offset: Int64, deleted: Bool = false) -> FeedMessage.Row {
        .init(
            source: Self.source, offset: offset, version: version, deleted: deleted,
            json: Array((deleted ? #"{"id":"a"}"# : #"{"id":"a","n":\#(version)}"#).utf8))
    }

    private func word(_ before: KeyedRows.Before) -> String {
        switch before {
        case .known(let json, _): String(decoding: json, as: UTF8.self)
        case .absent: "absent"
        case .unknown: "unknown"
        case .newer: "newer"
        }
    }

    @Test("A change that was read before the feed came to it is told to all when it comes", arguments: [true, false])
    func ahead(isDeleted: Bool) {
        let rows = KeyedRows(Self.stream, number: 1)
        rows.read(row(5, at: 150), [Self.source: 200])
        rows.isComplete = true
        let change = row(6, at: 250, deleted: isDeleted)
        // What was missing up to 220 was read, and is now as after 250.
        #expect(word(rows.replace(change, [Self.source: 220], isRead: false)) == #"{"id":"a","n":5}"#)
        #expect(word(rows.replace(change, [Self.source: 300], isRead: false)) == "unknown")
        #expect(
            word(rows.replace(row(7, at: 310), [Self.source: 320], isRead: false))
                == (isDeleted ? "absent" : #"{"id":"a","n":6}"#))
        #expect(word(rows.replace(row(6, at: 250), [Self.source: 320], isRead: false)) == "newer")
    }

    @Test("Where the feed missed something, clients may have what a key was on the way")
    func read() {
        let rows = KeyedRows(Self.stream, number: 1)
        rows.isComplete = true
        #expect(word(rows.replace(row(5, at: 150), [Self.source: 160], isRead: false)) == "absent")
        #expect(word(rows.replace(row(8, at: 190), [Self.source: 200], isRead: true)) == "unknown")
        #expect(word(rows.replace(row(9, at: 210), [Self.source: 220], isRead: false)) == #"{"id":"a","n":8}"#)
        #expect(
            word(rows.replace(row(10, at: 230, deleted: true), [Self.source: 240], isRead: false))
                == #"{"id":"a","n":9}"#)
        #expect(word(rows.replace(row(12, at: 290, deleted: true), [Self.source: 300], isRead: true)) == "unknown")
    }
}
