import Common
import Foundation
import Testing

@testable import CoordinatorCore

@Suite("Records from files")
struct RecordFileTests {
    private static let stream = StreamDefinition(
        name: "s", topics: ["t"], mode: .upsert, key: ["k"],
        columns: [
            Column("k", .text, required: true), Column("n", .bigint), Column("d", .double, from: .path("in.d")),
            Column("t", .timestamp, coerce: true), Column("b", .boolean), Column("p", .integer, from: .partition),
        ])

    private func lines(_ text: String, map: [String: String] = [:], byteLimit: Int = 100) throws -> [String] {
        let file = try RecordFile(text)
        return try RecordFile.read(JSONLines(Self.stream, path: file.path, map: map, byteLimit: byteLimit))
    }

    private func values(_ text: String, map: [String: String] = [:]) throws -> [String] {
        let file = try RecordFile(text)
        return try RecordFile.read(CSVRecords(Self.stream, path: file.path, map: map, byteLimit: 100))
    }

    @Test("Lines of JSON go on as they are, keyed by the stream's key; what is no object is told by its line")
    func jsonLines() throws {
        let found = try lines(
            "\u{FEFF}{\"k\" : \"a\",\"x\":[1]}\r\n\n  \n{\"k\":\"b\"}\n[1]\n{\"k\":\n{\"n\":1}\n{\"k\":\"é\"}")
        #expect(found.count == 6 && found[3].hasPrefix("6: "))
        #expect(
            found.filter { !$0.hasPrefix("6: ") } == [
                "a={\"k\" : \"a\",\"x\":[1]}", "b={\"k\":\"b\"}",
                "5: the record is a JSON array of 1 values; a record is one JSON object: send each as its own",
                "-={\"n\":1}", "é={\"k\":\"é\"}",
            ])
    }

    @Test("A line that is too long is told once and skipped, be it in one piece or in many")
    func longLines() throws {
        for length in [150, 5000, 400_000] {
            let long = "{\"k\":\"\(String(repeating: "x", count: length))\"}"
            let found = try lines("{\"k\":\"a\"}\n\(long)\n{\"k\":\"b\"}\n\(long)")
            #expect(found.count == 4 && found[0].hasPrefix("a=") && found[2].hasPrefix("b="))
            #expect(found[1].hasPrefix("2: ") && found[3].hasPrefix("4: "))
        }
    }

    @Test("A map renames fields of JSON, into objects too, and leaves out what has no column")
    func renamed() throws {
        #expect(
            try lines(
                #"{"id":"a","deep":{"v":1.50},"n":7,"other":1,"t":null}"# + "\n" + #"{"id":"b","n":[1]}"#,
                map: ["k": "id", "d": "deep.v"])
                == [
                    #"a={"k":"a","n":7,"in":{"d":1.5},"t":null,"b":null}"#,
                    "2: field 'n' is an object or array, which can't be mapped",
                ])
    }

    @Test("A table's fields take the form that their columns want")
    func csv() throws {
        #expect(
            try values("k,in.d,n,t,b,zzz\na,1e3, 7 ,1700000000,TRUE,x\n\"\",,007,2026-11-23,f,\n,1,+1,,maybe,\n")
                == [
                    #"a={"k":"a","n":7,"in":{"d":1e3},"t":1700000000,"b":true}"#,
                    #"={"k":"","n":"007","in":{"d":null},"t":"2026-11-23","b":false}"#,
                    #"-={"k":null,"n":"+1","in":{"d":1},"t":null,"b":"maybe"}"#,
                ])
    }

    @Test("A map says which of a table's fields is which column; records with too few or too many fields are told")
    func mappedCSV() throws {
        #expect(
            try values(
                "Name,Size\nx,1\ny\n\"two\nlines\",2\nz,3,4\n", map: ["k": "Name", "n": "Size"])
                == [
                    #"x={"k":"x","n":1}"#, "3: has 1 fields, the header 2",
                    "two\nlines={\"k\":\"two\\nlines\",\"n\":2}",
                    "6: has 3 fields, the header 2",
                ])
    }

    @Test(
        "What a table or map lacks is said before anything is sent",
        arguments: [
            ("", [:], "has no header line"), ("n\n1\n", [:], "no field for column 'k'"),
            ("k\n1\n", ["n": "count"], "has no field 'count'"), ("k\n1\n", ["zz": "k"], "has no column 'zz'"),
            ("k\n1\n", ["p": "k"], "has no column 'p'"),
        ] as [(String, [String: String], String)])
    func mistakes(text: String, map: [String: String], expected: String) throws {
        do {
            _ = try values(text, map: map)
            Issue.record("nothing was said")
        } catch let error as StartError {
            #expect(error.description.contains(expected) && error.exitCode == .usage, "\(error)")
        }
    }

    @Test("A stream without a key takes records without one; one that is keyed by Kafka's key takes none from a file")
    func keys() throws {
        let file = try RecordFile("{\"k\":1}\nx\n", ending: "ndjson")
        var stream = Self.stream
        (stream.mode, stream.key) = (.append, [])
        let found = try RecordFile.read(JSONLines(stream, path: file.path, map: [:], byteLimit: 100))
        #expect(found.count == 2 && found[0] == "-={\"k\":1}" && found[1].hasPrefix("2: "))
        stream.columns[0].from = .key
        stream.key = ["k"]
        #expect(throws: StartError.self) { try JSONLines(stream, path: file.path, map: [:], byteLimit: 100) }
    }

    @Test("A named pipe is waited for before anybody writes to it")
    func namedPipe() throws {
        let path = "/tmp/millrace-pipe-\(UUID().uuidString)"
        try #require(mkfifo(path, 0o600) == 0)
        defer { unlink(path) }
        let source = try JSONLines(Self.stream, path: path, map: [:], byteLimit: 100)
        guard case .waiting = try source.next({ _ in Issue.record("there is no record yet") }) else {
            Issue.record("it did not wait")
            return
        }
        let writer = try #require(FileHandle(forWritingAtPath: path))
        try writer.write(contentsOf: Data("{\"k\":\"a\"}\n".utf8))
        var key = ""
        _ = try source.next { key = String(decoding: $0.key!, as: UTF8.self) }
        try writer.close()
        guard case .end = try source.next({ _ in }) else {
            Issue.record("it did not end")
            return
        }
        #expect(key == "a")
    }

    @Test("A pipe that holds nothing is waited for, in the middle of a record too")
    func pipe() throws {
        let pipe = Pipe()
        let path = "/proc/self/fd/\(pipe.fileHandleForReading.fileDescriptor)"
        for isTable in [false, true] {
            let source: any RecordSource =
                isTable
                ? try CSVRecords(Self.stream, path: path, map: [:], byteLimit: 100)
                : try JSONLines(Self.stream, path: path, map: [:], byteLimit: 100)
            func expectWaiting() throws {
                guard case .waiting = try source.next({ _ in Issue.record("there is no record yet") }) else {
                    Issue.record("it did not wait")
                    return
                }
            }
            try expectWaiting()
            try pipe.fileHandleForWriting.write(contentsOf: Data((isTable ? "k\n\"a" : "{\"k\":").utf8))
            try expectWaiting()
            try pipe.fileHandleForWriting.write(contentsOf: Data((isTable ? "b\"\n" : "\"ab\"}\n").utf8))
            var key = ""
            _ = try source.next { key = String(decoding: $0.key!, as: UTF8.self) }
            #expect(key == "ab" && source.progress == nil)
        }
    }
}
