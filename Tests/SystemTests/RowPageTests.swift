import Common
import Foundation
import TestSupport
import Testing

@Suite("Rows over HTTP", .serialized, .timeLimit(.minutes(4)))
struct RowPageTests {
    private static let columns = [
        Column("id", .text, required: true), Column("n", .bigint), Column("longitude", .double),
        Column("latitude", .double),
    ]

    private struct Page: Decodable {
        struct Row: Decodable, Equatable {
            var id: String
            var n: Int?
        }

        var rows: [Row]
    }

    private func started(_ stream: StreamDefinition) throws -> (Fleet, EdgeUnderTest, HTTPClient) {
        let fleet = try Fleet(stream, partitions: 3)
        try fleet.launch(shards: 1)
        for partition in Int32(0)..<3 {
            let values = (0..<10).map { n in
                #"{"id":"p\#(partition) \#(n), \"x\"","n":\#(n),"longitude":\#(n),"latitude":\#(partition)}"#
            }
            try fleet.kafka.produce(values, to: fleet.topic, partition: partition)
        }
        try fleet.waitForRecords(30)
        let edge = try EdgeUnderTest(fleet, name: "one")
        let web = try HTTPClient(edge.address)
        try fleet.wait("an edge that is ready", seconds: 60) { try web.get("/readyz").status == 200 }
        return (fleet, edge, web)
    }

    /// All pages, by what each says comes next.
    private func read(_ web: HTTPClient, _ path: String, after: String?) throws -> [[Page.Row]] {
        var pages: [[Page.Row]] = []
        var after = after
        repeat {
            let query = after.map { "&after=" + Self.encoded($0) } ?? ""
            let body = try web.get(path + query).body
            pages.append(try JSONDecoder().decode(Page.self, from: Data(body.utf8)).rows)
            let object = try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]
            after = try (object?["next"]).map {
                String(decoding: try JSONSerialization.data(withJSONObject: $0), as: UTF8.self)
            }
        } while after != nil && pages.count < 100
        return pages
    }

    private static func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics)!
    }

    @Test("A log is read page by page from its beginning, each row once, with a filter too", arguments: [1, 7, 1000])
    func log(limit: Int) throws {
        let (fleet, edge, web) = try started(
            StreamDefinition(name: "log", topics: [], mode: .append, columns: Self.columns))
        let pages = try read(web, "/v1/streams/log/rows?limit=\(limit)", after: "{}")
        #expect(pages.allSatisfy { $0.count <= limit })
        let rows = pages.flatMap { $0 }
        #expect(rows.map(\.n) == [0, 1, 2].flatMap { _ in (0..<10).map { $0 } })
        #expect(Set(rows.map(\.id)).count == 30)
        let filter = Self.encoded(#"{"n":{"gte":8}}"#)
        let chosen = try read(web, "/v1/streams/log/rows?limit=\(limit)&where=\(filter)&bbox=0,1,9,2", after: "{}")
        #expect(chosen.flatMap { $0 }.map(\.n) == [8, 9, 8, 9])
        edge.kill()
        try fleet.stop()
    }

    @Test("A table is read by key, page by page; as CSV and NDJSON what comes next is a field of the answer")
    func table() throws {
        let (fleet, edge, web) = try started(
            StreamDefinition(name: "table", topics: [], mode: .upsert, key: ["id"], columns: Self.columns))
        let pages = try read(web, "/v1/streams/table/rows?limit=8", after: nil)
        #expect(pages.map(\.count) == [8, 8, 8, 6, 0])
        #expect(pages.flatMap { $0 }.map(\.id) == pages.flatMap { $0 }.map(\.id).sorted())
        let hostile = Self.encoded("[\"\u{600}'); COMMIT; DROP TABLE public.\\\"table\\\"; --\"]")
        #expect(try web.get("/v1/streams/table/rows?after=\(hostile)").status == 200)
        #expect(try fleet.rows(#"SELECT count(*) FROM "table""#) == ["30"])
        let csv = try web.get("/v1/streams/table/rows?limit=2&format=csv")
        #expect(
            csv.body == "id,n,longitude,latitude\r\n\"p0 0, \"\"x\"\"\",0,0,0\r\n\"p0 1, \"\"x\"\"\",1,1,0\r\n")
        #expect(csv.fields["millrace-next"] == #"["p0 1, \"x\""]"#)
        let lines = try web.get("/v1/streams/table/rows?limit=1&format=ndjson")
        #expect(lines.body == #"{"id":"p0 0, \"x\"","n":0,"longitude":0,"latitude":0}"# + "\n")
        #expect(lines.fields["content-type"] == "application/x-ndjson" && lines.fields["millrace-epoch"] != nil)
        edge.kill()
        try fleet.stop()
    }

    @Test("What can't be meant is refused with what would be right")
    func refused() throws {
        let (fleet, edge, web) = try started(
            StreamDefinition(name: "log", topics: [], mode: .append, columns: Self.columns))
        for (query, words) in [
            ("limit=0", "'limit' is 1 to 10000"), ("format=xml", "'format' is json, ndjson, csv"),
            ("where=x", "'where' is a JSON object"),
            ("where=%7B%22m%22%3A1%7D", "log has no column 'm'; did you mean: n"),
            ("bbox=1,2,3", "'bbox' is [west, south, east, north]"), ("after=%5B1%5D", "'after' is the 'next'"),
            ("latest=true", "log keeps no newest row of each key"),
        ] {
            let answer = try web.get("/v1/streams/log/rows?" + query)
            #expect(answer.status == 400 && answer.body.contains(words), "\(query): \(answer)")
        }
        #expect(try web.get("/v1/streams/logs/rows").status == 404)
        // Two names of one source.
        #expect(try web.get("/v1/streams/log/rows?after=" + Self.encoded(#"{"1":5,"01":5}"#)).status == 200)
        #expect(try web.get("/livez").status == 200)
        edge.kill()
        try fleet.stop()
    }
}
