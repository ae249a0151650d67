import Accounts
import Common
import Foundation
import TestSupport
import Testing

@Suite("Who may what at an edge", .serialized, .timeLimit(.minutes(5)))
struct AccessTests {
    /// Who published a row is a column of it.
    private static let events = StreamDefinition(
        name: "events", topics: [], mode: .append,
        columns: [
            Column("n", .bigint, required: true), Column("who", .text, from: .header("millrace-user")),
            Column("role", .text, from: .header("millrace-role")),
        ])

    private func start(
        _ fleet: Fleet, listen: String = "127.0.0.1:0", options: [String] = [], launches: Bool = true
    ) throws -> EdgeUnderTest {
        if launches { try fleet.launch(shards: 1) }
        let edge = try EdgeUnderTest(fleet, name: "one", listen: listen, options: options)
        let client = try HTTPClient(edge.address)
        try fleet.wait("an edge that is ready", seconds: 60) { try client.get("/readyz").status == 200 }
        return edge
    }

    @Test("On this machine anyone reads; publishing takes a role, in each of its ways, and rows know who it was")
    func loopback() throws {
        let fleet = try Fleet(Self.events, partitions: 1, ingests: true)
        let edge = try start(fleet)
        try fleet.addUsers(["ada": "operator", "vic": "viewer", "max": "admin"])
        let lines = try edge.run(
            """
            tokens = {u: sign_in(u, f"secret-of-{u}-0")[1]["token"] for u in ("ada", "vic", "max")}
            publish = {"type": "publish", "id": 2, "stream": "events", "data": {"n": 1, "millrace-user": "evil", "who": "evil"}}
            subscribe = {"type": "subscribe", "id": 1, "stream": "events"}
            print(ask(v1(), subscribe)["type"], ask(v1(), publish)["code"])
            print(ask(v1(tokens["vic"]), subscribe)["type"], ask(v1(tokens["vic"]), publish)["code"])
            print(ask(v1(tokens["ada"]), subscribe)["type"], ask(v1(tokens["ada"]), publish)["type"])
            for user in (None, "vic", "max"):
                status, headers, body = http("/v1/streams/events", '{"n":2}', token=tokens.get(user))
                print(status, headers["www-authenticate"], http("/v1/streams/events/rows", token=tokens.get(user))[0])
            for user in (None, "vic"):
                c = plain("?token=" + tokens[user] if user else "")
                c.send('{"n":3}'); print(ended(c)[0])
            with plain("?ack=true&token=" + tokens["ada"]) as c:
                c.send('{"n":3}'); print("ack" in json.loads(c.recv(timeout=60)))
            try: plain("?token=x")
            except InvalidStatus as refused: print(refused.response.status_code)
            for token in tokens.values(): print(token)
            """)
        #expect(
            lines.dropLast(3) == [
                "subscribed forbidden", "subscribed forbidden", "subscribed ack", "401 Bearer 200", "403 None 200",
                "200 None 200", "4403", "4403", "True", "401",
            ], "\(lines.dropLast(3))")
        try fleet.wait("three rows") { try fleet.rows("SELECT count(*) FROM events") == ["3"] }
        #expect(
            try fleet.rows("SELECT n, who, role FROM events ORDER BY n")
                == ["1|ada|operator", "2|max|admin", "3|ada|operator"])
        try fleet.expectNoSecrets(lines.suffix(3) + ["ada", "vic", "max"].map(Fleet.password))
    }

    @Test("Where others reach an edge reading needs a user too, and nobody is told what there is")
    func reachable() throws {
        let fleet = try Fleet(Self.events, partitions: 1)
        let edge = try start(fleet, listen: "0.0.0.0:0")
        try fleet.addUsers(["vic": "viewer"])
        let lines = try edge.run(
            """
            token = sign_in("vic", "secret-of-vic-0")[1]["token"]
            for t in (None, token):
                print(*(http(path, token=t)[0] for path in ("/v1/streams/events/rows", "/v1/streams/nothing/rows")),
                    len(json.loads(http("/v1/streams", token=t)[2])["streams"]))
                c = v1(t)
                print(*(ask(c, {"type": "subscribe", "id": s, "stream": s}).get("code", "subscribed") for s in ("events", "nothing")))
            print(ended(plain("?subscribe=events")))
            with plain("?subscribe=events&token=" + token) as c: print(c.ping().wait(60))
            """)
        #expect(
            lines == [
                "401 401 0", "forbidden forbidden", "200 404 1", "subscribed unknown_stream",
                "(4403, 'sign in to read the stream events')", "True",
            ], "\(lines)")
    }

    @Test("A stream's own lists come before the policy, also of an open edge")
    func lists() throws {
        var stream = Self.events
        (stream.subscribe, stream.publish) = (["analyst"], ["sensor"])
        let fleet = try Fleet(stream, partitions: 1)
        let edge = try start(fleet, options: ["--open"])
        try fleet.addUsers(["ann": "analyst", "sam": "sensor", "ada": "operator", "max": "admin"])
        let lines = try edge.run(
            """
            print(ask(v1(), {"type": "subscribe", "id": 1, "stream": "events"})["message"])
            for user in ("ann", "sam", "ada", "max"):
                c = v1(sign_in(user, f"secret-of-{user}-0")[1]["token"])
                subscribed = ask(c, {"type": "subscribe", "id": 1, "stream": "events"})
                published = ask(c, {"type": "publish", "id": 2, "stream": "events", "data": {"n": 1}})
                print(user, subscribed["type"], published["type"])
            """)
        #expect(
            lines == [
                "sign in to read the stream events", "ann subscribed error", "sam error ack", "ada error error",
                "max subscribed ack",
            ], "\(lines)")
    }

    @Test("Tokens of another issuer count with the role that a claim gives, and no other of its keys or audiences")
    func external() throws {
        let fleet = try Fleet(Self.events, partitions: 1)
        let (old, new, stranger) = (TestIssuer("RS256"), TestIssuer("EdDSA"), TestIssuer("ES256"))
        try fleet.trust([old, new], roles: ["grid-ops": "operator", "grid": "viewer"])
        try fleet.done("start", "--shards", "1", "--detach")
        defer { _ = try? fleet.command("stop") }
        let edge = try start(fleet, launches: false)
        func token(_ issuer: TestIssuer, _ groups: String, audience: String = "millrace", more: String = "") -> String {
            let now = Int64(Date().timeIntervalSince1970)
            return issuer.token(
                #"{"iss":"https://login.example.org/","aud":"\#(audience)","sub":"u-1","exp":\#(now + 600),"groups":\#(groups)\#(more)}"#
            )
        }
        let tokens = [
            token(old, #"["grid-ops"]"#), token(new, #"["x","grid"]"#), token(new, "[]"),
            token(stranger, #"["grid-ops"]"#),
            token(old, #"["grid-ops"]"#, audience: "other"),
            token(old, #"["grid-ops"]"#, more: #","where":{"events":{"n":[2]}}"#),
            token(old, #"["grid-ops"]"#, more: #","where":{"events":{"n":[1]}}"#),
        ]
        let lines = try edge.run(
            """
            tokens = "\(tokens.joined(separator: " "))".split()
            def known(): assert http("/v1/streams", token=tokens[0])[0] == 200
            until(known)
            for token in tokens[:2]:
                c = raw(); print(*[ask(c, {"type": "connect", "id": 1, "token": token})[x] for x in ("user", "role")])
                print(ask(c, {"type": "publish", "id": 2, "stream": "events", "data": {"n": 1}})["type"])
            print(*(http("/v1/streams", token=t)[0] for t in tokens[2:5]))
            def rows(token, query=""): return json.loads(http("/v1/streams/events/rows" + query, token=token)[2])["rows"]
            def stored(): assert len(rows(tokens[0])) == 1
            until(stored)
            print(rows(tokens[5]), rows(tokens[5], "?where=%7B%22n%22:1%7D"), len(rows(tokens[0], "?where=%7B%22n%22:1%7D")))
            c = raw(); ask(c, {"type": "connect", "id": 1, "token": tokens[5]})
            ask(c, {"type": "subscribe", "id": 2, "stream": "events", "last": 10, "where": {"n": [1, 2]}})
            print(heard(c, "snapshot")["rows"])
            print(http("/v1/token", "", token=tokens[0])[0])
            # A newer token of the same user shows other rows.
            ask(c, {"type": "connect", "id": 3, "token": tokens[5]})
            print(ask(c, {"type": "subscribe", "id": 4, "stream": "events", "where": {"n": [1]}})["type"])
            c.send(json.dumps({"type": "connect", "id": 5, "token": tokens[6]}))
            for message in [heard(c, "error"), heard(c, "error")]: print(message["code"], message["message"])
            print(heard(c, "connected")["user"])
            ask(c, {"type": "subscribe", "id": 6, "stream": "events", "last": 10})
            print(heard(c, "snapshot")["rows"])
            """)
        let other = "forbidden the token shows other rows of events; subscribe again"
        #expect(
            lines == [
                "u-1 operator", "ack", "u-1 viewer", "error", "401 401 401", "[] [] 1", "[]", "400", "subscribed",
                other,
                other, "u-1", "[{'n': 1, 'who': 'u-1', 'role': 'operator'}]",
            ], "\(lines)")
        try fleet.expectNoSecrets(tokens)
    }

    @Test("An issuer's keys are read over https, from nobody whose certificate is not trusted")
    func overHTTPS() throws {
        let (fleet, server, issuer) = (try Fleet(Self.events, partitions: 1), try HTTPSFiles(), TestIssuer("RS256"))
        try #"{"keys":[\#(issuer.publicKey)]}"#.write(
            toFile: server.files + "/keys.json", atomically: true, encoding: .utf8)
        fleet.issuers = [
            ExternalIssuer(
                issuer: "https://login.example.org/", jwks: server.address + "/keys.json", audience: "millrace",
                roles: [.init(value: "reader", role: "viewer")])
        ]
        try fleet.done("start", "--shards", "1", "--detach")
        defer { _ = try? fleet.command("stop") }
        let expires = Int64(Date().timeIntervalSince1970) + 600
        let token = issuer.token(
            #"{"iss":"https://login.example.org/","aud":"millrace","sub":"u-1","exp":\#(expires),"role":"reader"}"#)
        // The machine's own list, for this process.
        let trust = #"mount --bind \#(server.certificate) /etc/ssl/certs/ca-certificates.crt && exec "$@""#
        let trusting = try EdgeUnderTest(
            fleet, name: "trusting",
            prefix: ["unshare", "--mount", "--propagation", "unchanged", "sh", "-c", trust, "sh"], options: [])
        let lines = try trusting.run(
            """
            def known(): assert http("/v1/streams", token="\(token)")[0] == 200
            until(known)
            print(ask(v1("\(token)"), {"type": "connect", "id": 1})["role"])
            """)
        #expect(lines == ["viewer"])
        let careful = try EdgeUnderTest(fleet, name: "careful", options: [])
        try fleet.wait("an edge that says why it has no keys") {
            careful.log.contains(
                "warning ws-edge: keys of the issuer https://login.example.org/: \(server.address)/keys.json")
        }
        #expect(try careful.run("print(http('/v1/streams', token='\(token)')[0])") == ["401"])
        try fleet.expectNoSecrets([token])
    }
}
