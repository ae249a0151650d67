import Common
import Feed
import Foundation
import Testing
import WebServer

@testable import WSEdgeCore

@Suite("What a group's clients are sent")
struct EventFramesTests {
    private static let epoch = "0f8fad5b-d9cb-469f-a165-70867728950e"
    private static let stream = StreamDefinition(
        name: "readings", topics: [], mode: .append, key: ["id"], columns: [Column("id", .text)])
    private static let one = SourceID(rawValue: 1)
    private static let two = SourceID(rawValue: 2)
    private static let three = SourceID(rawValue: 3)

    /// Each fills a message. Of the newest rows an older one may come last.
    private static func rows(_ places: [(SourceID, Int64)]) -> [FeedMessage.Row] {
        places.map { source, offset in
            FeedMessage.Row(
                source: source, offset: offset, version: 0, deleted: false,
                json: Array("{\"id\":\"\(offset)\(String(repeating: "x", count: 300_000))\"}".utf8))
        }
    }

    private struct Told: Decodable {
        var position: [String: Int64]
    }

    /// The id and the position of each event.
    private func events(
        _ mode: GroupKey.Mode, _ places: [(SourceID, Int64)], from position: [SourceID: Int64]?
    ) throws -> [(id: EventID?, position: [String: Int64])] {
        let encoding = GroupEncoding(sub: 1, GroupKey(.events, mode), Self.stream, epoch: Self.epoch)
        let entry = StreamRing.Entry(rows: Self.rows(places), position: [Self.one: 9, Self.two: 4])
        let text = String(decoding: encoding.frames(entry, from: position).bytes, as: UTF8.self)
        return try text.components(separatedBy: "\n\n").dropLast().map { event in
            let lines = event.split(separator: "\n")
            let data = try #require(lines.last?.dropFirst("data: ".count))
            let told = try JSONDecoder().decode(Told.self, from: Data(data.utf8))
            return (lines.count > 1 ? EventID(String(lines[0].dropFirst("id: ".count))) : nil, told.position)
        }
    }

    @Test("Each event of a log has an id: all of the position, with what the event brings")
    func log() throws {
        let places = [(Self.one, Int64(5)), (Self.two, 3), (Self.one, 7)]
        let told = try events(.log, places, from: [Self.one: 5, Self.two: 2, Self.three: 1])
        #expect(told.map(\.position) == [["1": 6], ["2": 4], ["1": 9, "2": 4]])
        #expect(
            told.map { $0.id?.position } == [
                [Self.one: 6, Self.two: 2, Self.three: 1], [Self.one: 6, Self.two: 4, Self.three: 1],
                [Self.one: 9, Self.two: 4, Self.three: 1],
            ])
        #expect(told.allSatisfy { $0.id?.epoch == Self.epoch })
        // Who is nowhere yet has to begin again.
        #expect(try events(.log, places, from: nil).allSatisfy { $0.id == nil })
    }

    @Test("Of the newest rows, which come in no order, only the last message says how far the stream is")
    func newest() throws {
        let told = try events(
            .latest(perSecond: 5), [(Self.one, 7), (Self.two, 3), (Self.one, 5)], from: [Self.one: 5])
        #expect(told.map(\.position) == [[:], [:], ["1": 9, "2": 4]])
        #expect(told.map { $0.id == nil } == [true, true, false])
    }

    @Test("Who is ahead of the others in a source is at no place of theirs until they have caught up")
    func ahead() {
        func entry(_ source: SourceID, _ next: Int64) -> StreamRing.Entry {
            .init(
                rows: [.init(source: source, offset: next - 1, version: 0, deleted: false, json: [])],
                position: [source: next])
        }
        var ring = StreamRing(from: [Self.one: 0, Self.two: 0])
        ring.append(entry(Self.one, 1))
        var cursor = LogCursor(from: [Self.one: 0, Self.two: 5], in: ring)
        guard case .shared(0) = cursor.step(ring) else {
            Issue.record("it is told what others are")
            return
        }
        #expect(!cursor.isLive && cursor.position == [Self.one: 1, Self.two: 5])
        ring.append(entry(Self.two, 5))
        guard case .wait = cursor.step(ring) else {
            Issue.record("it has it")
            return
        }
        #expect(cursor.isLive && cursor.position == ring.position)
    }
}
