import Common
import JSONRecords
import Testing

@Suite("Columns that no record has")
struct ColumnWatchTests {
    private static let stream = StreamDefinition(
        name: "s", topics: [], mode: .append,
        columns: [
            Column("id", .text), Column("speed", .double, from: .path("speed_kmh")),
            Column("lat", .double, from: .path("position.latitude")), Column("lon", .double, from: .path("pos.lon")),
            Column("part", .integer, from: .partition),
        ])

    private func decode(_ count: Int, _ json: String, with decoder: inout RecordDecoder) {
        var json = json
        for offset in 0..<count {
            json.withUTF8 { bytes in
                _ = try? decoder.decode(
                    UnsafeRawBufferPointer(bytes),
                    RecordMetadata(key: nil, timestamp: nil, partition: 0, offset: Int64(offset)))
            }
        }
    }

    @Test("After a thousand records the columns without a field are named, with fields that may be meant")
    func absent() {
        let watch = ColumnWatch(Self.stream)
        var decoder = RecordDecoder(Self.stream, watch: watch)
        let record = #"{"id":"a","speedKmh":7,"position":{"latitud":1,"height":2},"other":{}}"#
        decode(999, record, with: &decoder)
        #expect(watch.absent == nil)
        decode(1, record, with: &decoder)
        #expect(
            watch.absent == [
                AbsentColumn(column: "speed", from: "speed_kmh", near: ["speedKmh"]),
                AbsentColumn(column: "lat", from: "position.latitude", near: ["latitud"]),
                AbsentColumn(column: "lon", from: "pos.lon", near: []),
            ])
        #expect(
            watch.absent?.map(\.description) == [
                "column speed ('speed_kmh'); near: 'speedKmh'", "column lat ('position.latitude'); near: 'latitud'",
                "column lon ('pos.lon')",
            ])
    }

    @Test(
        "One record in a thousand is enough, also one that is rejected, or whose value is null; the next thousand is looked at anew"
    )
    func seenOnce() {
        let watch = ColumnWatch(Self.stream)
        var decoder = RecordDecoder(Self.stream, watch: watch)
        decode(1, #"{"id":{},"speed_kmh":null,"position":{"latitude":"x"},"pos":{"lon":1}}"#, with: &decoder)
        decode(999, "{}", with: &decoder)
        #expect(watch.absent == [])
        decode(1000, #"{"id":"a","pos":{"lon":1}}"#, with: &decoder)
        #expect(watch.absent?.map(\.column) == ["speed", "lat"])
    }
}
