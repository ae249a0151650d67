import Common
import Foundation
import TestSupport
import Testing

@Suite("What the documents say of an edge", .serialized, .timeLimit(.minutes(5)))
struct ContractTests {
    private static let things = StreamDefinition(
        name: "things", topics: [], mode: .upsert, key: ["id"],
        columns: [Column("id", .text, required: true), Column("kind", .text), Column("text", .text)])
    private static let numbers = StreamDefinition(
        name: "numbers", topics: [], mode: .append, columns: [Column("n", .bigint, required: true)])

    private func edge(_ fleet: Fleet, options: [String]) throws -> EdgeUnderTest {
        let edge = try EdgeUnderTest(fleet, name: "one", options: options)
        let web = try HTTPClient(edge.address)
        try fleet.wait("an edge that is ready", seconds: 60) { try web.get("/readyz").status == 200 }
        return edge
    }

    @Test(
        "Every message and every operation of docs/asyncapi.json and docs/openapi.json is there, and nothing else is said"
    )
    func everything() throws {
        let table = try Fleet(Self.things, partitions: 1, ingests: true)
        try table.launch(shards: 1)
        let log = try Fleet(Self.numbers, partitions: 1)
        try log.launch(shards: 1)
        let tableEdge = try edge(table, options: ["--open", "--memory", "16"])
        try log.addUsers(["ada": "viewer"])
        let logEdge = try edge(log, options: ["--open"])
        let place = table.postgres
        let lines = try tableEdge.run(
            """
            import os, signal, subprocess
            def sql(text):
                subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-h", "\(place["host"]!)", "-U",
                    "\(place["user"]!)", "-d", "\(place["dbname"]!)", "-c", text], check=True)
            writer = v1()
            def publish(id, kind, text=None):
                ask(writer, {"type": "publish", "id": f"p {id} {kind}", "stream": "things", "data": {"id": id, "kind": kind, "text": text}})

            # The protocol.
            c = v1()
            one = {"type": "subscribe", "id": 1, "stream": "things", "snapshot": True, "where": {"kind": ["a", "c"]}}
            sub = ask(c, one)["sub"]
            heard(c, "snapshot")
            publish("k1", "a")
            heard(c, "rows")
            publish("k1", "b")
            heard(c, "leave")
            heard(c, "progress")
            sub = ask(c, {"type": "update", "id": 2, "sub": sub, "where": {"kind": "a"}})["sub"]
            ask(c, {"type": "unsubscribe", "id": 3, "sub": sub})
            ask(c, {"type": "subscribe", "id": 4, "stream": "nothing"})
            # More than is kept to know what leaves.
            ask(c, one | {"id": 5})
            stream = events("/v1/streams/things/events?snapshot=true&where=%7B%22kind%22:[%22a%22,%22c%22]%7D")
            next(stream)
            for n in range(100): publish(f"large {n}", "c", "x" * 50_000)
            while "sub" not in heard(c, "error"): pass
            assert [*stream][-1][1]["code"] == "limit"
            assert [*events("/v1/streams/things/events?where=%7B%22kind%22:%22a%22%7D")][-1][1]["code"] == "limit"

            # Plain.
            with plain("?ack=true&subscribe=things") as p:
                p.send("no record"); p.send('{"id":"plain"}')
                for _ in range(3): contract.told(json.loads(p.recv(timeout=60)), "plain")
                contract.asked({"id": "plain"}, "plain")

            # Events.
            sql("DELETE FROM things")
            stream = events("/v1/streams/things/events?snapshot=true&where=%7B%22kind%22:%22a%22%7D")
            def until_event(type):
                while next(stream)[1]["type"] != type: pass
            until_event("snapshot")
            publish("k2", "a"); until_event("rows")
            publish("k2", "b"); until_event("leave"); until_event("progress")
            c = v1()
            ask(c, {"type": "subscribe", "id": 6, "stream": "things"})
            sql("UPDATE millrace.stream SET epoch = gen_random_uuid()")
            heard(c, "reset"); until_event("reset")
            assert [*stream] == []

            # Over HTTP, of a table and of a log.
            status, headers, text = http("/v1/streams/things/rows?limit=2")
            post("/v1/streams/things", '[{"id":"a"},{"x":1},5]')
            http("/v1/streams/things/log")
            for other in ("\(logEdge.address)", "\(tableEdge.address)"):
                web = "http://" + other
                for path in ("/livez", "/readyz", "/metrics", "/v1/site", "/v1/streams", "/v1/openapi.json", "/v1/asyncapi.json", "/ws", "/nowhere"): http(path)
                assert json.loads(http("/v1/openapi.json")[2]) == contract.documents["openapi"]
                assert json.loads(http("/v1/asyncapi.json")[2]) == contract.documents["asyncapi"]
                for query in ("", "?limit=0", "?format=ndjson", "?format=csv", "?after=%7B%7D"): http("/v1/streams/numbers/rows" + query)
                for token in (None, "x"): http("/v1/streams", token=token); http("/v1/streams/numbers/log", token=token)
                for body in ('{"n":1}', '[{"n":2},{"n":3}]', '[{"n":2},{"x":3}]', "x", "[]"): post("/v1/streams/numbers", body)
                post("/v1/token", '{"username":"ada","password":"x"}'); post("/v1/token", "x")
            web = "http://\(logEdge.address)"
            sign_in("ada", "secret-of-ada-0")
            index = json.loads(http("/v1/streams/numbers/log")[2])
            for path in ("1/0", "1/x", "99/0"): http(f"/v1/streams/numbers/log/{index['version']}/{path}")
            http("/v1/streams/numbers/log/x/1/0")

            # The edge drains.
            web = "http://\(tableEdge.address)"
            stream = events("/v1/streams/things/events")
            next(stream)
            os.kill(\(tableEdge.pid), signal.SIGTERM)
            heard(c, "goaway")
            assert [*stream][-1][1]["type"] == "goaway"
            print(sorted(contract.all - contract.seen))
            """)
        #expect(lines == ["[]"], "\(lines)")
        #expect(tableEdge.drain() == ExitCode.success.rawValue)
    }
}
