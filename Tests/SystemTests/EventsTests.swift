import Accounts
import Common
import Foundation
import TestSupport
import Testing

@Suite("Server-Sent Events", .serialized, .timeLimit(.minutes(5)))
struct EventsTests {
    private static let numbers = StreamDefinition(
        name: "numbers", topics: [], mode: .append, columns: [Column("n", .bigint, required: true)])
    private static let things = StreamDefinition(
        name: "things", topics: [], mode: .upsert, key: ["id"],
        columns: [Column("id", .text, required: true), Column("kind", .text), Column("n", .bigint)])

    private func edge(_ fleet: Fleet, _ name: String, options: [String] = ["--open"]) throws -> EdgeUnderTest {
        let edge = try EdgeUnderTest(fleet, name: name, options: options)
        let web = try HTTPClient(edge.address)
        try fleet.wait("an edge that is ready", seconds: 60) { try web.get("/readyz").status == 200 }
        return edge
    }

    @Test("Whoever is cut at any byte and moved from edge to edge sees each row once, with nothing but the last id")
    func resuming() throws {
        let fleet = try Fleet(Self.numbers, partitions: 3)
        try fleet.launch(shards: 2)
        let (first, second) = (try edge(fleet, "first"), try edge(fleet, "second"))
        try fleet.produce(0..<3000)
        try fleet.waitForRecords(3000)
        let epoch = try fleet.rows("SELECT epoch FROM millrace.stream WHERE name = 'numbers'")[0]
        // Of Postgres first, cut in the midst of what is read; one is never cut but by edges.
        let start = #"from={"epoch":"\#(epoch)","position":{}}"#
            .addingPercentEncoding(withAllowedCharacters: .urlQueryAllowed)!
        let clients = try (0..<4).map { seed in
            try EdgeClient(
                "numbers", edges: seed % 2 == 0 ? [first.url, second.url] : [second.url, first.url],
                folder: "\(fleet.folder)/client \(seed)", script: "events.py",
                arguments: [start] + (seed == 3 ? [] : ["\(seed)"]))
        }
        for client in clients { try fleet.expect(0..<3000, at: client) }
        for begin in stride(from: 3000, to: 4500, by: 100) { try fleet.produce(begin..<(begin + 100)) }
        for client in clients { try fleet.expect(0..<4500, at: client) }
        first.kill()
        for client in clients { try client.setEdges([second.url]) }
        for begin in stride(from: 4500, to: 6000, by: 100) { try fleet.produce(begin..<(begin + 100)) }
        for client in clients { try fleet.expect(0..<6000, at: client) }
        let third = try edge(fleet, "third")
        #expect(second.drain() == ExitCode.success.rawValue)
        try fleet.produce(6000..<6600)
        for client in clients { try client.setEdges([third.url]) }
        for client in clients {
            try fleet.expect(0..<6600, at: client)
            #expect(client.resets.isEmpty && client.refusals.isEmpty)
            #expect(client.subscriptions.allSatisfy { $0.hasSuffix("True") })
        }
        // The one that is always there was told when to come again, and did.
        let farewells = clients[3].farewells.compactMap(Double.init)
        #expect(farewells.count == 1 && (0...2).contains(farewells[0]), "\(farewells)")
        let scrape = try PrometheusScrape(try HTTPClient(third.address).get("/metrics").body)
        #expect(scrape.value("millrace_edge_subscriptions", ["stream": "numbers"]) ?? 0 >= 1)
    }

    @Test(
        "A browser's EventSource goes on by itself at the edge that comes after a killed one, and after one that drained"
    )
    func browser() throws {
        let fleet = try Fleet(Self.numbers, partitions: 2)
        try fleet.launch(shards: 1)
        let first = try edge(fleet, "first")
        let page = try DashboardPage("http://\(first.address)/livez", fleet)
        try page.ask("source /v1/streams/numbers/events")
        func expect(_ count: Int, subscriptions: Int) throws {
            try fleet.wait("\(count) numbers, by subscription \(subscriptions)", seconds: 60) {
                let heard = try page.ask("heard")
                return heard.numbers?.count ?? 0 >= count && heard.subscriptions == subscriptions
            }
            #expect(try page.ask("heard").numbers?.sorted() == Array(0..<count))
        }
        try expect(0, subscriptions: 1)
        try fleet.produce(0..<100)
        try expect(100, subscriptions: 1)
        first.kill()
        try fleet.produce(100..<200)
        // Another edge where the browser looks for the one before.
        let second = try EdgeUnderTest(fleet, name: "second", listen: first.address)
        try expect(200, subscriptions: 2)
        try fleet.produce(200..<300)
        try expect(300, subscriptions: 2)
        #expect(second.drain() == ExitCode.success.rawValue)
        try fleet.produce(300..<400)
        let third = try EdgeUnderTest(fleet, name: "third", listen: first.address)
        try expect(400, subscriptions: 3)
        #expect(third.log.contains("clients connect at"))
    }

    @Test(
        "A table begins with a snapshot that counts when it is whole; what leaves the filter is told; ids go on elsewhere"
    )
    func keyed() throws {
        let fleet = try Fleet(Self.things, partitions: 1)
        try fleet.launch(shards: 1)
        let (one, other) = (try edge(fleet, "one"), try edge(fleet, "other"))
        for n in 0..<4 { try put(fleet, "k\(n)", n < 2 ? "a" : "b", n) }
        try fleet.waitForRecords(4)
        let lines = try one.run(
            """
            path = "/v1/streams/things/events?snapshot=true&where=%7B%22kind%22:%22a%22%7D"
            stream = events(path)
            id, subscribed = next(stream)
            # Who loses the connection here has no state yet.
            print(id, subscribed["type"], subscribed["recovered"], subscribed["id"])
            id, snapshot = next(stream)
            print(id is not None, [row["id"] for row in snapshot["rows"]], snapshot["more"])
            for key, kind, n in (("k0", "b", 10), ("k3", "a", 11)):
                post("/v1/streams/things", json.dumps({"id": key, "kind": kind, "n": n}))
                id, change = next((id, change) for id, change in stream if change["type"] != "progress")
                print(change["type"], change.get("keys"), [row["id"] for row in change.get("rows", [])], id is not None)
            print(id)
            """)
        #expect(
            lines.dropLast() == [
                "None subscribed False None", "True ['k0', 'k1'] False", "leave [{'id': 'k0'}] [] False",
                "rows None ['k3'] True",
            ], "\(lines)")
        let id = try #require(lines.last)
        #expect(id.utf8.count < 32)
        // Meanwhile one comes, one leaves, and one is deleted.
        for (key, kind) in [("k2", "a"), ("k1", "b")] { try put(fleet, key, kind, 20) }
        try fleet.kafka.produce([0: [(key: "k3", value: nil)]], to: fleet.topic)
        try fleet.waitForRecords(9)
        let resumed = try other.run(
            """
            stream = events("/v1/streams/things/events?snapshot=true&where=%7B%22kind%22:%22a%22%7D", last="\(id)")
            _, subscribed = next(stream)
            print(subscribed["recovered"])
            seen = {}
            while len(seen) < 3:
                _, change = next(stream)
                assert change["type"] != "snapshot"
                for key in change.get("keys", []): seen[key["id"]] = "left"
                for row in change.get("rows", []): seen[row["id"]] = row["n"]
                for key in change.get("deleted", []): seen[key["id"]] = "deleted"
            print(sorted(seen.items()))
            """)
        #expect(resumed == ["True", "[('k1', 'left'), ('k2', 20), ('k3', 'deleted')]"], "\(resumed)")
        // An epoch that is no more: the state comes, whatever was there.
        try fleet.execute("UPDATE millrace.stream SET epoch = gen_random_uuid()")
        let anew = try edge(fleet, "anew").run(
            """
            stream = events("/v1/streams/things/events?snapshot=true", last="\(id)")
            print(next(stream)[1]["reason"])
            snapshot = next(stream)[1]
            print(snapshot["type"], [row["id"] for row in snapshot["rows"]])
            """)
        #expect(anew == ["epoch", "snapshot ['k0', 'k1', 'k2']"], "\(anew)")
    }

    private func put(_ fleet: Fleet, _ key: String, _ kind: String, _ n: Int) throws {
        try fleet.kafka.produce(
            [0: [(key: key, value: #"{"id":"\#(key)","kind":"\#(kind)","n":\#(n)}"#)]], to: fleet.topic)
    }

    @Test("Who may read it as a WebSocket may as events: tokens, roles, what a token shows, pages of other hosts")
    func access() throws {
        var stream = Self.numbers
        stream.subscribe = ["analyst"]
        let fleet = try Fleet(stream, partitions: 1)
        let issuer = TestIssuer("RS256")
        try fleet.trust([issuer], roles: ["a": "analyst"])
        try fleet.done("start", "--shards", "1", "--detach")
        defer { _ = try? fleet.command("stop") }
        try fleet.addUsers(["ann": "analyst", "vic": "viewer"])
        let edge = try edge(fleet, "one", options: ["--origin", "https://maps.example"])
        let expires = Int64(Date().timeIntervalSince1970) + 600
        let tenant = issuer.token(
            #"{"iss":"https://login.example.org/","aud":"millrace","sub":"t","exp":\#(expires),"groups":["a"],"where":{"numbers":{"n":[2]}}}"#
        )
        try fleet.produce(0..<4)
        try fleet.waitForRecords(4)
        let lines = try edge.run(
            """
            path = "/v1/streams/numbers/events?last=10"
            def known(): assert http("/v1/streams/numbers/rows", token="\(tenant)")[0] == 200
            until(known)
            tokens = {u: sign_in(u, f"secret-of-{u}-0")[1]["token"] for u in ("ann", "vic")}
            for token in (None, tokens["vic"], "x"):
                status, headers, body = http(path, token=token)
                print(status, headers["content-type"], json.loads(body)["error"]["code"])
            def rows(path, token=None):
                stream = events(path, token=token)
                next(stream)
                return [row["n"] for row in next(stream)[1]["rows"]]
            print(rows(path, tokens["ann"]), rows(path + "&token=" + tokens["ann"]))
            print(rows(path, "\(tenant)"), rows(path + "&where=%7B%22n%22:[1,2]%7D", "\(tenant)"))
            for origin in ("https://maps.example", "https://evil.example"):
                request = urllib.request.Request(web + path, headers={"Authorization": "Bearer " + tokens["ann"], "Origin": origin})
                try:
                    with urllib.request.urlopen(request) as answer: print(answer.status, answer.headers["access-control-allow-origin"])
                except urllib.error.HTTPError as error: print(error.code, error.headers["access-control-allow-origin"])
            for token in tokens.values(): print(token)
            """)
        #expect(
            lines.dropLast(2) == [
                "401 application/json unauthorized", "403 application/json forbidden",
                "401 application/json unauthorized", "[0, 1, 2, 3] [0, 1, 2, 3]", "[2] [2]",
                "200 https://maps.example", "403 None",
            ], "\(lines.dropLast(2))")
        try fleet.expectNoSecrets([tenant] + lines.suffix(2))
        // Whoever is disabled is told why the stream ends.
        let rest = Pipe()
        let waiting = Process()
        waiting.executableURL = URL(filePath: "/usr/bin/python3")
        waiting.arguments = [
            "-c",
            """
            import sys, urllib.request
            url = "http://\(edge.address)/v1/streams/numbers/events?token=" + sys.argv[1]
            for line in urllib.request.urlopen(url, timeout=60):
                if line.startswith(b"data: "): print(line[6:].decode().strip()[:60], flush=True)
            """, lines[lines.count - 2],
        ]
        waiting.standardOutput = rest
        try waiting.run()
        defer { if waiting.isRunning { kill(waiting.processIdentifier, SIGKILL) } }
        #expect(String(decoding: rest.fileHandleForReading.availableData, as: UTF8.self).contains("subscribed"))
        try fleet.done("users", "disable", "ann")
        let last = String(decoding: try rest.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        #expect(last.contains(#"{"type":"error","id":null,"code":"unauthorized","#), "\(last)")
    }

    @Test("What can't be had is refused as HTTP; what may be later is a stream that ends and says when to come again")
    func refusals() throws {
        let fleet = try Fleet(Self.numbers, partitions: 1)
        try fleet.launch(shards: 1)
        let edge = try edge(fleet, "one")
        let lines = try edge.run(
            """
            def asked(path, last=None):
                request = urllib.request.Request(web + path, headers={"Last-Event-ID": last} if last else {})
                try: return urllib.request.urlopen(request, timeout=60)
                except urllib.error.HTTPError as error: return error
            for query in ("mode=x", "max_hz=5", "last=many", "last=5000", "snapshot=true", "where=x", "where=%7B%22m%22:1%7D", "bbox=1,2,3,4",
                          "from=x", "from=%7B%7D", "mode=latest"):
                answer = asked("/v1/streams/numbers/events?" + query)
                print(answer.status, json.loads(answer.read())["error"]["message"])
            print(asked("/v1/streams/number/events").status, asked("/v1/streams/numbers/events", "no id of ours").status)
            answer = asked("/v1/streams/numbers/events")
            print(answer.status, *(answer.headers[name] for name in ("content-type", "cache-control", "connection", "content-length")))
            print(answer.readline().decode().strip())
            import http.client
            head = http.client.HTTPConnection(web[7:])
            head.request("HEAD", "/v1/streams/numbers/events")
            answer = head.getresponse()
            print(answer.status, answer.headers["content-type"], answer.read())
            """)
        #expect(
            lines == [
                "400 'mode' is 'log' or 'latest'", "400 'max_hz' goes with the mode 'latest'",
                "400 'last' is a number", "400 'last' is 1 to 1000",
                "501 numbers is a log without a table of newest rows: 'last' rows of it",
                "400 'where' is a JSON object of columns and values, 'bbox' is west,south,east,north",
                "400 numbers has no column 'm'; did you mean: n",
                "400 numbers has no columns of a position: double columns longitude and latitude",
                "400 'Last-Event-ID', or 'from', is no id of an event of these streams",
                #"400 'from' is an event's id, or {"epoch":"…","position":{…}}"#,
                "501 numbers has no key, so there is no newest row of one", "404 400",
                "200 text/event-stream no-store close None", "retry: 1000", "200 text/event-stream b''",
            ], "\(lines)")
        // Of an edge that drains while a client holds it open.
        let draining = try edge.run(
            """
            import os, signal
            stream = events("/v1/streams/numbers/events")
            print(next(stream)[1]["type"])
            # A sign of life, since nothing else comes.
            print(next(stream)[1]["type"])
            os.kill(\(edge.pid), signal.SIGTERM)
            print([message["type"] for _, message in stream])
            """)
        #expect(draining == ["subscribed", "progress", "['goaway']"], "\(draining)")
        #expect(edge.drain() == ExitCode.success.rawValue)
    }

    @Test(
        "A client that stops reading holds up nobody, and gets each row once when it goes on; one that never does is let go"
    )
    func slow() throws {
        var stream = Self.numbers
        stream.columns.append(Column("text", .text))
        let fleet = try Fleet(stream, partitions: 1)
        try fleet.launch(shards: 1)
        let edge = try edge(fleet, "one", options: ["--open", "--memory", "16"])
        let text = String(repeating: "x", count: 10_000)
        let script = """
            import sys, urllib.request, json
            with urllib.request.urlopen("http://\(edge.address)/v1/streams/numbers/events", timeout=60) as lines:
                expected = 0
                for line in lines:
                    if not line.startswith(b"data: "): continue
                    message = json.loads(line[6:])
                    if message["type"] == "subscribed":
                        print("begun", flush=True)
                        sys.stdin.readline()
                    for row in message.get("rows", []):
                        assert row["n"] == expected, (row["n"], expected)
                        expected += 1
                    if expected == 1200: break
            print("all")
            """
        func reader() throws -> (Process, Pipe, Pipe) {
            let (process, input, output) = (Process(), Pipe(), Pipe())
            process.executableURL = URL(filePath: "/usr/bin/python3")
            process.arguments = ["-c", script]
            (process.standardInput, process.standardOutput) = (input, output)
            try process.run()
            #expect(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self).hasPrefix("begun"))
            return (process, input, output)
        }
        func rest(_ output: Pipe) throws -> String {
            String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        }
        let (waiting, input, output) = try reader()
        defer { if waiting.isRunning { kill(waiting.processIdentifier, SIGKILL) } }
        // This one never goes on.
        let (lost, lostInput, lostOutput) = try reader()
        defer {
            if lost.isRunning { kill(lost.processIdentifier, SIGKILL) }
            withExtendedLifetime((lostInput, lostOutput)) {}
        }
        let (quick, quickInput, quickOutput) = try reader()
        defer { if quick.isRunning { kill(quick.processIdentifier, SIGKILL) } }
        let signal = Data("go on\n".utf8)
        try quickInput.fileHandleForWriting.write(contentsOf: signal)
        // More than its connection and the ring hold.
        for begin in stride(from: 0, to: 1200, by: 100) {
            try fleet.kafka.produce(
                (begin..<(begin + 100)).map { #"{"n":\#($0),"text":"\#(text)"}"# }, to: fleet.topic, partition: 0)
        }
        #expect(try rest(quickOutput).hasSuffix("all\n"))
        try input.fileHandleForWriting.write(contentsOf: signal)
        #expect(try rest(output).hasSuffix("all\n"))
        let web = try HTTPClient(edge.address)
        func value(_ name: String) throws -> Double? {
            try PrometheusScrape(try web.get("/metrics").body).value("millrace_edge_\(name)")
        }
        #expect(try value("readings_total") ?? 0 > 0)
        try fleet.wait("the one that takes nothing to be let go", seconds: 90) { try value("let_go_total") == 1 }
        try fleet.wait("nobody to be there", seconds: 60) { try value("clients") == 0 }
    }
}
