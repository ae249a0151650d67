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
            "'n' is declared twice", "already belongs to stream 'a'", "already a table of stream 'a'",
            "'d' must be a bigint",
        ]
        for text in expected {
            #expect(problems.contains { $0.contains(text) }, "no problem says: \(text)")
        }
        #expect(problems.count == expected.count, "\(problems)")
    }

    @Test(
        "No column can have a name that Millrace or Postgres needs",
        arguments: ["millrace_restarted", "millrace_lowest_0", "source_id", "deleted", "ctid", "xmin", "tableoid"])
    func reservedNames(name: String) {
        let stream = StreamDefinition(name: "s", topics: ["s"], mode: .append, columns: [Column(name, .text)])
        let problems = StreamValidation([stream]).problems
        #expect(problems.count == 1 && problems[0].contains("'\(name)'") && problems[0].contains("another name"))
    }

    @Test(
        "A table's name has at most a schema before it, both as long as Postgres takes, and is nobody else's",
        arguments: [
            ("a.b.c", "TABLE or SCHEMA.TABLE"), ("a.", "1 to 56 bytes"), (".b", "1 to 63 bytes"),
            (String(repeating: "x", count: 57), "1 to 56 bytes"),
            ("s." + String(repeating: "x", count: 56), nil), (String(repeating: "s", count: 63) + ".x", nil),
            ("millrace.source", "Millrace's own"), ("users", nil), ("public.users", nil),
            ("pg_catalog.x", "Postgres's own"), ("public.other", "already a table of stream 'other'"),
            ("other2", "already a table of stream 'other2'"),
        ] as [(String, String?)])
    func tableNames(table: String, problem: String?) {
        let columns = [Column("k", .text)]
        let others = ["other", "other2"].map {
            StreamDefinition(name: $0, topics: [$0], mode: .append, columns: columns)
        }
        let stream = StreamDefinition(
            name: "s", topics: ["s"], table: table, mode: .append, key: ["k"], latest: true, columns: columns)
        let problems = StreamValidation(others + [stream]).problems
        #expect(
            problem.map { text in problems.count == 1 && problems[0].contains(text) } ?? problems.isEmpty, "\(problems)"
        )
    }

    @Test("A latest table is a table like others: two streams can't have it")
    func latestTable() {
        let columns = [Column("k", .text)]
        let streams = [
            StreamDefinition(name: "a", topics: ["a"], mode: .append, key: ["k"], latest: true, columns: columns),
            StreamDefinition(name: "a_latest", topics: ["b"], mode: .append, columns: columns),
        ]
        #expect(StreamValidation(streams).problems.count == 1)
    }

    @Test("A dot in a stream's name chooses no schema")
    func dottedName() {
        let stream = StreamDefinition(name: "prod.eu.x", topics: ["t"], mode: .append, columns: [Column("k", .text)])
        #expect(stream.table == "prod_eu_x" && StreamValidation([stream]).problems.isEmpty)
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
