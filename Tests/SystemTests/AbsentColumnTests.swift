import Common
import Foundation
import Testing

@Suite("Columns that no record has, before and after a start", .serialized, .timeLimit(.minutes(3)))
struct AbsentColumnTests {
    private static let readings = StreamDefinition(
        name: "readings", topics: [], mode: .append,
        columns: [Column("n", .bigint, required: true), Column("speed", .double, from: .path("speed_kmh"))])

    @Test("check --sample says what the newest records would become, status what none of a thousand had")
    func told() throws {
        let fleet = try Fleet(Self.readings, partitions: 2)
        #expect(try fleet.done("check", "--sample").contains("sample of readings: there are no records\n"))
        for partition in Int32(0)..<2 {
            let values = (0..<1100).map { #"{"n":\#($0),"speedKmh":1.5}"# }
            try fleet.kafka.produce(values, to: fleet.topic, partition: partition)
        }
        try fleet.kafka.produce([#"{"n":"x"}"#, #"{"n":"y"}"#, "no JSON"], to: fleet.topic)
        let text = try fleet.done("check", "--sample")
        #expect(text.contains("sample of readings: 1000 records: 997 rows, 0 deletes, 3 dead letters\n"), "\(text)")
        #expect(text.contains("  2 wrong_type; the first: \(fleet.topic):0@1100: "), "\(text)")
        #expect(text.contains("  1 not_json; the first: \(fleet.topic):0@1102: "), "\(text)")
        #expect(text.contains("  no record had column speed ('speed_kmh'); near: 'speedKmh'\n"), "\(text)")

        try fleet.launch(shards: 2)
        let report = try fleet.waitForStatus("it is told, and no trouble") {
            $0.healthy && !($0.streams.first?.absentColumns ?? []).isEmpty
        }
        #expect(report.streams[0].absentColumns == [.init(column: "speed", from: "speed_kmh", near: ["speedKmh"])])
        #expect(
            try fleet.done("status").contains(
                "  no record of the last 1000 of readings had column speed ('speed_kmh'); near: 'speedKmh'\n"))
        // One of them has it.
        try fleet.kafka.produce(
            (0..<1000).map { #"{"n":\#($0),"speed_kmh":1.5}"# }, to: fleet.topic, partition: 0)
        try fleet.waitForStatus("it is there") { $0.streams.first?.absentColumns == [] }
        try fleet.stop()
    }
}
