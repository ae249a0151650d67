import Common
import Foundation
import TestSupport
import Testing

@Suite("Edges and tables of one row a key", .serialized, .timeLimit(.minutes(8)))
struct KeyedEdgeTests {
    private static let columns = [
        Column("id", .text, required: true), Column("kind", .text), Column("longitude", .double),
        Column("latitude", .double), Column("n", .bigint),
    ]
    private static let things = StreamDefinition(
        name: "things", topics: [], mode: .upsert, key: ["id"], columns: columns)
    private static let readings = StreamDefinition(
        name: "readings", topics: [], mode: .append, key: ["id"], latest: true, columns: columns)

    private func record(_ id: Int, _ kind: String, _ longitude: Double, _ n: Int) -> (key: String?, value: String?) {
        (
            "k\(id)", #"{"id":"k\#(id)","kind":"\#(kind)","longitude":\#(longitude),"latitude":1.5,"n":\#(n)}"#
        )
    }

    private func put(_ fleet: Fleet, _ records: [(key: String?, value: String?)]) throws {
        var byPartition: [Int32: [(key: String?, value: String?)]] = [:]
        for record in records {
            byPartition[Int32(record.key!.utf8.reduce(0) { $0 + Int($1) }) % fleet.partitions, default: []].append(
                record)
        }
        try fleet.kafka.produce(byPartition, to: fleet.topic)
    }

    private func started(_ stream: StreamDefinition, partitions: Int32 = 2) throws -> (Fleet, EdgeUnderTest) {
        let fleet = try Fleet(stream, partitions: partitions)
        try fleet.launch(shards: 2)
        return (fleet, try edge(fleet, "one"))
    }

    private func edge(_ fleet: Fleet, _ name: String) throws -> EdgeUnderTest {
        let edge = try EdgeUnderTest(fleet, name: name)
        let web = try HTTPClient(edge.address)
        try fleet.wait("an edge that is ready", seconds: 60) { try web.get("/readyz").status == 200 }
        return edge
    }

    @Test("A subscription begins with the table, and goes on with each change and deletion, under the row's version")
    func snapshot() throws {
        let (fleet, edge) = try started(Self.things, partitions: 1)
        try put(fleet, (0..<3).map { record($0, "a", 1, $0) } + [("k9", #"{"id":"k9"}"#), ("k9", nil)])
        try fleet.waitForRecords(5)
        let lines = try edge.run(
            """
            c = v1()
            print(ask(c, {"type": "subscribe", "id": 1, "stream": "things", "snapshot": True})["recovered"])
            s = heard(c, "snapshot")
            print([row["id"] for row in s["rows"]], s["versions"], s["more"], s.get("deleted"))
            """)
        #expect(lines == ["False", "['k0', 'k1', 'k2'] [1, 1, 1] False None"])
        let live = try edge.run(
            """
            c = v1()
            ask(c, {"type": "subscribe", "id": 1, "stream": "things", "snapshot": True})
            heard(c, "snapshot")
            def changed():
                m = heard(c, "rows")
                print([(row["id"], row["n"]) for row in m["rows"]], m["versions"], m.get("deleted"), m["position"])
            post("/v1/streams/things", '{"id":"k1","kind":"b","n":7}')
            changed()
            """)
        #expect(live == ["[('k1', 7)] [2] None {'1': 6}"])
    }

    @Test("One that comes back gets the rows of the keys that changed, as they are now, on any edge")
    func resuming() throws {
        let (fleet, edge) = try started(Self.things, partitions: 1)
        try put(fleet, (0..<4).map { record($0, "a", 1, $0) })
        try fleet.waitForRecords(4)
        let start = try edge.run(
            """
            c = v1()
            a = ask(c, {"type": "subscribe", "id": 1, "stream": "things", "snapshot": True})
            print(json.dumps({"epoch": a["epoch"], "position": a["position"]}))
            """)
        try put(fleet, [record(0, "a", 1, 10), record(1, "b", 1, 11), record(0, "a", 1, 12), ("k2", nil)])
        try fleet.waitForRecords(8)
        let other = try self.edge(fleet, "other")
        let resumed = try other.run(
            """
            c = v1()
            def resume(**filter):
                a = ask(c, {"type": "subscribe", "id": 1, "stream": "things", "from": \(start[0]), **filter})
                print(a["recovered"], a.get("reason"))
                m = heard(c, "rows")
                print(sorted((row["id"], row["n"]) for row in m["rows"]), m["deleted"], m["position"])
                return a
            resume()
            c.close(); c = v1()
            c.send(json.dumps({"type": "subscribe", "id": 1, "stream": "things", "from": \(start[0]), "where": {"kind": "a"}}))
            l = heard(c, "leave"); print(l["keys"])
            m = heard(c, "rows"); print([(row["id"], row["n"]) for row in m["rows"]], m["deleted"], m["position"])
            """)
        #expect(
            resumed == [
                "True None", "[('k0', 12), ('k1', 11)] [{'id': 'k2'}] {'1': 8}", "[{'id': 'k1'}]",
                "[('k0', 12)] [{'id': 'k2'}] {'1': 8}",
            ])
        // Past what is kept of changes, the table is sent.
        try fleet.execute("DELETE FROM millrace.change; UPDATE millrace.source SET changes_from = 6")
        let lost = try other.run(
            """
            c = v1()
            a = ask(c, {"type": "subscribe", "id": 1, "stream": "things", "from": \(start[0]), "snapshot": True})
            print(a["recovered"], a["reason"])
            print([(row["id"], row["n"]) for row in heard(c, "snapshot")["rows"]])
            """)
        #expect(lost == ["False retention", "[('k0', 12), ('k1', 11), ('k3', 3)]"])
    }

    @Test("A row that leaves a filter is told to have left, one that comes in is told, wherever it was; a map is moved")
    func filters() throws {
        let (fleet, edge) = try started(Self.things, partitions: 1)
        try put(fleet, (0..<6).map { record($0, $0 % 2 == 0 ? "even" : "odd", Double($0), $0) })
        try fleet.waitForRecords(6)
        let lines = try edge.run(
            """
            c = v1()
            a = ask(c, {"type": "subscribe", "id": 1, "stream": "things", "snapshot": True, "bbox": [1.5, 1, 3.5, 2]})
            b = ask(c, {"type": "subscribe", "id": 2, "stream": "things", "where": {"kind": "even", "n": {"lt": 5}}})
            names = {a["sub"]: "box", b["sub"]: "even"}
            def say(m):
                ids = [k["id"] for k in m.get("keys", m.get("rows"))]
                print(names[m["sub"]], m["type"], ids)
            say(heard(c, "snapshot"))
            def put(text): assert post("/v1/streams/things", text)[0] == 200
            put('{"id":"k2","kind":"odd","longitude":9,"latitude":1.5,"n":2}')
            for _ in range(2): say(heard(c, "rows", "leave"))
            put('{"id":"k5","kind":"odd","longitude":2,"latitude":1.5,"n":2}')
            say(heard(c, "rows", "leave"))
            put('{"id":"k4","kind":"even","longitude":-170,"latitude":1.5,"n":4}')
            say(heard(c, "rows", "leave"))
            a = ask(c, {"type": "update", "id": 3, "sub": a["sub"], "bbox": [170, 1, -160, 2]})
            names[a["sub"]] = "moved"
            say(heard(c, "snapshot"))
            put('{"id":"k4","kind":"odd","longitude":-150,"latitude":1.5,"n":4}')
            for _ in range(2): say(heard(c, "rows", "leave"))
            """)
        #expect(lines.first == "box snapshot ['k2', 'k3']")
        #expect(Set(lines[1...2]) == ["box leave ['k2']", "even leave ['k2']"])
        #expect(
            lines[3...5].elementsEqual(["box rows ['k5']", "even rows ['k4']", "moved snapshot ['k4']"]), "\(lines)")
        #expect(Set(lines[6...]) == ["moved leave ['k4']", "even leave ['k4']"])
    }

    @Test(
        "The newest of each key comes at most so many times a second, after the table; a log begins with its last rows")
    func latest() throws {
        let (fleet, edge) = try started(Self.readings, partitions: 1)
        try put(fleet, (0..<50).map { record($0 % 5, "a", 1, $0) })
        try fleet.waitForRecords(50)
        let lines = try edge.run(
            """
            c = v1()
            a = ask(c, {"type": "subscribe", "id": 1, "stream": "readings", "mode": "latest", "max_hz": 2, "snapshot": True})
            s = heard(c, "snapshot"); print(sorted((r["id"], r["n"]) for r in s["rows"]), s.get("versions"))
            c.close(); c = v1()
            ask(c, {"type": "subscribe", "id": 2, "stream": "readings", "mode": "latest", "max_hz": 2})
            lines = "\\n".join(json.dumps({"id": "k%d" % (n % 5), "longitude": 1, "latitude": 1, "n": n}) for n in range(5000))
            begin, newest, count, rows = time.time(), {}, 0, 0
            assert post("/v1/streams/readings", lines, "application/x-ndjson")[0] == 200
            while len(newest) < 5 or min(newest.values()) < 4995:
                m = heard(c, "rows")
                count += 1
                rows += len(m["rows"])
                assert len({r["id"] for r in m["rows"]}) == len(m["rows"])
                for r in m["rows"]: newest[r["id"]] = r["n"]
            print(count <= 2 * (time.time() - begin) + 2, rows == sum(1 for _ in range(rows)) and rows < 5000)
            c.close(); c = v1()
            a = ask(c, {"type": "subscribe", "id": 3, "stream": "readings", "last": 3, "where": {"id": ["k1", "k4"]}})
            s = heard(c, "snapshot"); print([(r["id"], r["n"]) for r in s["rows"]], s["more"])
            post("/v1/streams/readings", '{"id":"k2","n":1}\\n{"id":"k4","n":2}', "application/x-ndjson")
            m = heard(c, "rows"); print([(r["id"], r["n"]) for r in m["rows"]], m["position"])
            """)
        #expect(
            lines == [
                "[('k0', 45), ('k1', 46), ('k2', 47), ('k3', 48), ('k4', 49)] None", "True True",
                "[('k4', 4994), ('k1', 4996), ('k4', 4999)] False", "[('k4', 2)] {'1': 5052}",
            ])
    }

    /// Clients of each kind, moved at random between edges of which one is killed, while keys change, leave their filters and
    /// are deleted.
    @Test(
        "Whatever becomes of edges and connections, each client ends with what the table holds of its filter",
        arguments: [0, 1], ["state.py", "event_states.py"])
    func churn(seed: UInt64, script: String) throws {
        let stream = seed == 0 ? Self.things : Self.readings
        let (fleet, edge) = try started(stream, partitions: 4)
        var random = SeededGenerator(seed: seed)
        func some(_ count: Int) -> [(key: String?, value: String?)] {
            (0..<count).map { n in
                let id = Int.random(in: 0..<200, using: &random)
                if stream.isKeyed, Int.random(in: 0..<20, using: &random) == 0 { return ("k\(id)", nil) }
                return record(
                    id, ["a", "b", "c"].randomElement(using: &random)!,
                    (Double.random(in: -180...180, using: &random) * 10).rounded() / 10, n)
            }
        }
        try put(fleet, some(500))
        // These stay: whoever has missed them does not hear of them again.
        try put(fleet, (200..<300).map { record($0, "a", Double($0 % 180), $0) })
        try fleet.waitForRecords(600)
        var edges = [edge, try self.edge(fleet, "two"), try self.edge(fleet, "three")]
        let mode = stream.isKeyed ? "" : #""mode":"latest","max_hz":20,"#
        let filters = [
            "", #","where":{"kind":["a","b"]}"#, #","where":{"n":{"gte":100,"lt":300}}"#, #","bbox":[0,-90,90,90]"#,
            #","bbox":[150,-90,-100,90],"where":{"kind":"c"}"#,
        ]
        let conditions = [
            "true", "kind IN ('a','b')", "n >= 100 AND n < 300", "longitude BETWEEN 0 AND 90",
            "(longitude >= 150 OR longitude <= -100) AND kind = 'c'",
        ]
        let clients = try StateClients(
            stream.name, .table(key: "id", script: script), filters.map { "{\(mode)\"snapshot\":true\($0)}" },
            count: 30,
            edges: edges.map(\.url), folder: fleet.folder + "/clients")
        for round in 0..<12 {
            try put(fleet, some(200))
            if round == 4 {
                edges.removeFirst().kill()
                try clients.setEdges(edges.map(\.url))
            }
            if round == 7, let victim = fleet.workerPIDs().first { kill(victim, SIGKILL) }
            if round == 9 {
                edges.append(try self.edge(fleet, "four"))
                try clients.setEdges(edges.map(\.url))
            }
            Thread.sleep(forTimeInterval: 0.3)
        }
        try fleet.waitForRecords(600 + 12 * 200)
        try clients.finish(at: try fleet.rows("SELECT json_object_agg(id, next_offset) FROM millrace.source")[0])
        try fleet.wait("the clients; \(clients.states.count) are at the end; \(clients.errors)") { !clients.isRunning }
        #expect(clients.errors == "")
        #expect(clients.gaps == [])
        let table = stream.isKeyed ? stream.table : stream.latestTable
        for (index, condition) in conditions.enumerated() {
            let expected = try fleet.rows(
                "SELECT id, coalesce(kind, '-'), longitude::numeric::float8, n FROM \(table) WHERE NOT deleted AND \(condition) ORDER BY id"
            )
            for number in stride(from: index, to: 30, by: conditions.count) {
                let rows =
                    try JSONSerialization.jsonObject(with: Data(try #require(clients.states[number]).utf8))
                    as? [[String: Any]] ?? []
                let seen = rows.map { row in
                    "\(row["id"]!)|\(row["kind"] as? String ?? "-")|\((row["longitude"] as! NSNumber).doubleValue.description.replacing(#/\.0$/#, with: ""))|\(row["n"]!)"
                }
                #expect(seen.sorted() == expected.sorted(), "client \(number), \(filters[index])")
            }
        }
    }
}
