import Common
import Foundation
import Testing

@Suite("Stream definitions")
struct StreamValidationTests {
    @Test("The built-in streams are valid")
    func builtIn() {
        #expect(StreamValidation(BuiltInStreams.all()).problems == [])
    }

    @Test("Every mistake is named, all of them at once")
    func allMistakes() {
        let first = StreamDefinition(
            name: "a", topics: ["x"], mode: .upsert, key: ["missing"],
            columns: [Column("deleted", .text, min: 1), Column("n", .integer, min: 2, max: 1), Column("n", .text)])
        let second = StreamDefinition(
            name: "b", topics: ["x"], table: "a", mode: .increment, key: ["k"], increments: ["d"],
            columns: [Column("k", .text), Column("d", .double)])
        let problems = StreamValidation([first, second]).problems
        let expected = [
            "'missing' is not a declared column", "Millrace adds itself", "is not a number", "min 2.0 above max 1.0",
            "'n' is declared twice", "already belongs to stream 'a'", "already the table of stream 'a'",
            "'d' must be a bigint",
        ]
        for text in expected {
            #expect(problems.contains { $0.contains(text) }, "no problem says: \(text)")
        }
        #expect(problems.count == expected.count, "\(problems)")
    }

    @Test("A definition reads back from its JSON as it was")
    func roundTrip() throws {
        for stream in BuiltInStreams.all(trafficTopic: "other") {
            let data = try JSONEncoder().encode(stream)
            #expect(try JSONDecoder().decode(StreamDefinition.self, from: data) == stream)
        }
    }

    @Test("Only a name, a mode and columns need to be written")
    func defaults() throws {
        let text = #"{"name":"s","mode":"append","columns":[{"name":"k","type":"text","from":"$header.h"}]}"#
        let stream = try JSONDecoder().decode(StreamDefinition.self, from: Data(text.utf8))
        #expect(stream.topics == ["s"] && stream.table == "s" && stream.columns[0].origin == .header("h"))
    }
}
