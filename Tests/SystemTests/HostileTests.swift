import Accounts
import Common
import Foundation
import TestSupport
import Testing

/// Attacks (Tests/Clients/hostile.py) on an edge, while rows are committed and somebody well-behaved follows them.
@Suite("Hostile clients of an edge", .serialized, .timeLimit(.minutes(8)))
struct HostileTests {
    /// What each attack of hostile.py ends with: on a connection of the protocol, and a plain one.
    private static let frames = [
        "reserved bit": "1002 1002", "unknown opcode": "1002 1002", "text that is no UTF-8": "1007 1007",
        "binary": "1003 1003",
        "a continuation of nothing": "1002 1002", "65,537 bytes": "1009 1009", "fragments without end": "1009 1009",
        "a frame of 2^62 bytes": "1009 1009", "no mask": "1002", "5,000 fragments of nothing": "bad_request",
        "1,000 pings": "1000",
    ]
    private static let requests = [
        "a head of 100 kB": "no word", "10,000 fields": "no word", "a path of 100 kB": "no word", "no HTTP": "no word",
        "a zero in the path": "no word", "a body that is chunked": "501", "a body of unknown length": "411",
        "a body of 2^63 bytes": "413", "a password of 1 MB": "413", "an upgrade to HTTP/2": "200",
        "version 7 of WebSockets": "426", "no key": "400", "no host": "400", "another page": "403",
        "another page's POST": "403",
        "a page without a name": "403",
    ]
    private static let nonsense = [
        "SQL as a stream": "unknown_stream", "SQL as a column": "bad_request",
        "SQL as a value of another type": "bad_request",
        "SQL as a bound": "bad_request", "SQL as a kind of bound": "bad_request", "SQL as a source": "bad_request",
        "an unknown column": "bad_request", "a position that is none": "bad_request",
        "a box that is none": "bad_request",
        "a box without columns": "bad_request", "a value with a zero": "bad_request", "2,000 values": "bad_request",
        "more rows than may be": "bad_request", "a huge number": "bad_request", "half a surrogate": "bad_request",
        "depth": "bad_request", "depth of a record": "bad_request", "no JSON": "bad_request",
        "a subscription of nobody": "bad_request", "SQL as a value": "subscribed", "SQL as an epoch": "subscribed",
        "20 subscriptions": "True limit", "the connection": "connected",
    ]

    @Test("Each attack ends as it should, others notice nothing, and memory stays what it was however often they come")
    func attacks() throws {
        let stage = try HostileStage()
        let expected = Self.frames.merging(Self.requests) { $1 }.merging(Self.nonsense) { $1 }
            .merging(["requests without reading": "held back", "livez": "asked 0"]) { $1 }
        func round() throws {
            let found = try stage.attack(["frames", "requests", "nonsense", "flood"])
            for (name, answer) in expected.sorted(by: { $0.key < $1.key }) { #expect(found[name] == answer, "\(name)") }
            #expect(found.count == expected.count)
        }
        try round()
        let before = try stage.memory
        for _ in 0..<3 { try round() }
        let after = try stage.memory
        print("figure: resident memory of an edge before and after three rounds of attacks: \(before) MB, \(after) MB")
        #expect(after - before < 32)
        try stage.expectWitness()
        #expect(try stage.fleet.rows("SELECT to_regclass('events') IS NOT NULL") == ["t"])
        #expect(stage.edge.drain() == ExitCode.success.rawValue)
    }

    @Test(
        "Ten thousand WebSockets of one address are served; those beyond are told so, and health is answered all the while"
    )
    func crowd() throws {
        // Both sides of each connection are descriptors, of processes of their own.
        let hard = try #require(Int(try shell("ulimit -Hn")))
        let limit = min(10_000, hard - 1000)
        let stage = try HostileStage(options: ["--open", "--connections", "\(limit)"])
        let before = try stage.memory
        let found = try stage.attack(["crowd", "\(limit + 100)"]) {
            try stage.produce(100)
            let web = try HTTPClient(stage.edge.address)
            #expect(try web.get("/livez").status == 200)
            let clients = try PrometheusScrape(web.get("/metrics").body).value("millrace_edge_clients") ?? 0
            #expect(Int(clients) <= limit && Int(clients) > limit - 20)
        }
        let answers = try JSONDecoder().decode([String: Int].self, from: Data(try #require(found["crowd"]).utf8))
        let during = try stage.memory
        print(
            "figure: \(limit + 100) WebSockets of one address: \(answers), \(before) MB before, \(during) MB with them")
        #expect(answers["101"] ?? 0 > limit - 20 && answers["101"] ?? 0 <= limit && answers["503"] ?? 0 > 0)
        #expect(answers.values.reduce(0, +) == limit + 100)
        #expect(found["livez"] == "asked 0")
        try stage.expectWitness()
        let scrape = try PrometheusScrape(try HTTPClient(stage.edge.address).get("/metrics").body)
        #expect(scrape.value("millrace_edge_refused_connections_total") ?? 0 > 0)
    }

    @Test("Subscribers who read nothing are let go in time, take no memory of rows for themselves, and hold up nobody")
    func deaf() throws {
        let stage = try HostileStage()
        let web = try HTTPClient(stage.edge.address)
        let before = try stage.memory
        var during = 0
        let found = try stage.attack(["deaf", "200"]) {
            // Beyond what the kernel takes for each.
            for _ in 0..<20 { try stage.produce(1000, padding: 1000) }
            try stage.expectWitness()
            try stage.fleet.wait("an edge that lets go", seconds: 90) {
                during = max(during, try stage.memory)
                return try PrometheusScrape(web.get("/metrics").body).value("millrace_edge_let_go_total") == 200
            }
        }
        print("figure: 200 subscribers who read nothing of 20 MB: \(before) MB before, \(during) MB with them")
        #expect(found["deaf"] == "200" && found["livez"] == "asked 0")
        // A piece of what they were last given, and the rows that are kept for all.
        #expect(during - before < 100)
        try stage.expectWitness()
    }

    @Test("An address has so many connections as it may have, and others are served")
    func perAddress() throws {
        let stage = try HostileStage(options: ["--open", "--connections-per-address", "20"])
        let found = try stage.attack(["crowd", "100"]) { try stage.produce(10) }
        let answers = try JSONDecoder().decode([String: Int].self, from: Data(try #require(found["crowd"]).utf8))
        #expect(answers["101"] ?? 0 > 10 && answers["101"] ?? 0 < 20 && answers["503"] == nil)
        #expect(answers["no word"] ?? 0 >= 80)
        try stage.expectWitness()
    }

    @Test("With few open files an edge serves fewer, says so, and keeps those that it needs itself")
    func fewDescriptors() throws {
        let stage = try HostileStage(prefix: ["prlimit", "--nofile=160:160"])
        #expect(stage.edge.log.contains("the limit of open files leaves 60 connections instead of 10000"))
        let found = try stage.attack(["crowd", "300"]) {
            try stage.produce(100)
            let web = try HTTPClient(stage.edge.address)
            try stage.fleet.wait("health") { (try? web.get("/livez").status) == 200 }
            // From Postgres.
            #expect(try web.get("/v1/streams/events/rows?limit=1").status == 200)
        }
        let answers = try JSONDecoder().decode([String: Int].self, from: Data(try #require(found["crowd"]).utf8))
        #expect(answers["101"] ?? 0 > 40 && answers["101"] ?? 0 <= 60)
        try stage.expectWitness()
        #expect(stage.edge.drain() == ExitCode.success.rawValue)
    }

    @Test(
        "Tokens that don't count are nobody's, whichever way they come: unsigned, of another key, expired, of no user")
    func tokens() throws {
        let keys = TokenKeys.make()
        let stage = try HostileStage(options: ["--open"], environment: [TokenKeys.variable: keys.text])
        let now = Int64(Date().timeIntervalSince1970)
        func claims(_ user: String, _ seconds: Int64) -> TokenClaims {
            .init(user: user, role: "admin", issuedAt: now - 7200, expiresAt: now + seconds)
        }
        func signed(_ claims: TokenClaims, _ keys: TokenKeys) throws -> String {
            try #require(TokenSigner(keys).token(claims))
        }
        let good = try signed(claims("ada", 600), keys)
        let parts = good.split(separator: ".").map(String.init)
        let payload = String(
            decoding: try #require(
                Data(
                    base64Encoded: parts[1].replacing("-", with: "+").replacing("_", with: "/")
                        + String(repeating: "=", count: (4 - parts[1].count % 4) % 4))), as: UTF8.self)
        let tokens = [
            "x", "..", "a.b.c", String(repeating: "e", count: 8000), TestIssuer.unsigned(payload),
            TestIssuer.unsigned(payload, algorithm: "NONE"), TestIssuer.unsigned(payload, algorithm: "HS256"),
            "\(parts[0]).\(parts[1]).", "\(parts[0]).\(parts[1])", try signed(claims("ada", 600), .make()),
            try signed(claims("ada", -60), keys),
            TestIssuer(secret: .init(repeating: 0, count: 32), id: "own").token(payload),
            TestIssuer("ES256", id: "own").token(payload),
        ]
        let lines = try stage.edge.run(
            """
            for token in "\(tokens.joined(separator: " "))".split(" "):
                found = [http("/v1/streams/events/rows", token=token)[0], http("/v1/token", "", token=token)[0]]
                for path, protocols, headers in (("", ["millrace.v1.json"], {"Authorization": "Bearer " + token}), ("?token=" + token, None, {})):
                    try: dial(url + path, subprotocols=protocols, additional_headers=headers); found.append("let in")
                    except InvalidStatus as refused: found.append(refused.response.status_code)
                c = raw()
                found += [ask(c, {"type": "connect", "id": 1, "token": token})["code"], ended(c)[0]]
                print(*found)
            """)
        #expect(lines == .init(repeating: "401 401 401 401 unauthorized 4401", count: tokens.count))
        try stage.produce(10)
        try stage.expectWitness()
        for token in tokens[3...] { #expect(!stage.edge.log.contains(token)) }
    }

    @Test("SQL in what HTTP asks for is a value like any other, or refused")
    func sql() throws {
        let stage = try HostileStage()
        try stage.produce(10)
        try stage.expectWitness()
        let lines = try stage.edge.run(
            """
            from urllib.parse import quote
            evil = "x'; DROP TABLE events; --"
            def rows(query): return http("/v1/streams/events/rows?" + query)
            print(http("/v1/streams/" + quote(evil, safe="") + "/rows")[0], post("/v1/streams/" + quote(evil, safe=""), "{}")[0])
            print(rows("where=" + quote(json.dumps({evil: 1})))[0], rows("where=" + quote(evil))[0])
            print(rows("where=" + quote(json.dumps({"n": evil})))[0], rows("where=" + quote(json.dumps({"who": "\\0"})))[0])
            print(json.loads(rows("where=" + quote(json.dumps({"who": evil})))[2])["rows"])
            for name in ("after", "limit", "format", "bbox"): print(name, rows(name + "=" + quote(evil))[0])
            print("after", rows("after=" + quote(json.dumps({evil: 1})))[0], rows("after=" + quote('{"1":1e99}'))[0])
            print(post("/v1/streams/events", json.dumps({"n": 10, "who": evil}))[0])
            def stored(): assert evil in [row["who"] for row in json.loads(rows("limit=20")[2])["rows"]]
            until(stored)
            print([row["n"] for row in json.loads(rows("where=" + quote(json.dumps({"who": evil})))[2])["rows"]])
            """)
        #expect(
            lines == [
                "404 404", "400 400", "400 400", "[]", "after 400", "limit 400", "format 400", "bbox 400",
                "after 400 400",
                "200", "[10]",
            ])
        #expect(try stage.fleet.rows("SELECT count(*) FROM events") == ["11"])
    }
}
