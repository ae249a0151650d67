import Accounts
import Common
import Foundation
import TestSupport
import Testing

@Suite("Signing in at an edge", .serialized, .timeLimit(.minutes(5)))
struct SignInTests {
    private static let events = StreamDefinition(
        name: "events", topics: [], mode: .append, columns: [Column("n", .bigint, required: true)])

    private func start(
        _ fleet: Fleet, users: [String: String], environment: [String: String] = [:]
    ) throws -> EdgeUnderTest {
        try fleet.launch(shards: 1)
        let edge = try EdgeUnderTest(fleet, name: "one", options: [], environment: environment)
        let client = try HTTPClient(edge.address)
        try fleet.wait("an edge that is ready", seconds: 60) { try client.get("/readyz").status == 200 }
        try fleet.addUsers(users)
        return edge
    }

    @Test(
        "A password gives a token, by JSON and by form, which says who somebody is; wrong, unknown and disabled are one answer"
    )
    func passwords() throws {
        let fleet = try Fleet(Self.events, partitions: 1)
        let edge = try start(fleet, users: ["ada": "operator", "eve": "viewer"])
        try fleet.done("users", "disable", "eve")
        let lines = try edge.run(
            """
            status, answer = sign_in("ada", "\(Fleet.password(of: "ada"))")
            print(status, answer["user"], answer["role"], answer["token_type"], answer["expires_in"])
            status, form = post("/v1/token", "username=ada&password=\(Fleet.password(of: "ada"))", "application/x-www-form-urlencoded")
            print(status, form["user"])
            c = raw()
            hello = ask(c, {"type": "connect", "id": 1, "token": answer["token"]})
            print(hello["user"], hello["role"], hello["expires_at"] > time.time())
            c = raw(form["token"])
            print(ask(c, {"type": "connect", "id": 1})["user"])
            print(ask(v1(), {"type": "connect", "id": 2})["user"])
            refused = [http("/v1/token", json.dumps({"username": u, "password": p})) for u, p in
                (("ada", "wrong wrong wrong"), ("nobody", "wrong wrong wrong"), ("eve", "\(Fleet.password(of: "eve"))"))]
            heads = [{k: v for k, v in h.items() if k.lower() != "date"} for _, h, _ in refused]
            print(len({(s, b) for s, _, b in refused}), refused[0][0], heads[0]["www-authenticate"], heads[0] == heads[1] == heads[2])
            for body, kind in (("{", None), ('{"username":"ada"}', None), ("username=%ZZ", "application/x-www-form-urlencoded"),
                ("username=ada%001&password=wrong", "application/x-www-form-urlencoded"), ("x" * 5000, None)):
                print(http("/v1/token", body, kind or "application/json")[0], end=" ")
            print(http("/v1/token", "")[0])
            status, renewed = post("/v1/token", "", token=answer["token"])
            print(status, renewed["user"])
            print(answer["token"]); print(renewed["token"])
            """)
        #expect(
            Array(lines.prefix(8)) == [
                "200 ada operator Bearer 3600", "200 ada", "ada operator True", "ada", "None", "1 401 Bearer True",
                "400 400 400 400 413 400", "200 ada",
            ], "\(lines.prefix(8))")
        try fleet.expectNoSecrets(Array(lines.suffix(2)) + [Fleet.password(of: "ada"), "wrong wrong wrong"])
    }

    @Test("Tries are limited per user, whichever password, and say when to try again; others still sign in")
    func rateLimit() throws {
        let fleet = try Fleet(Self.events, partitions: 1)
        let edge = try start(fleet, users: ["ada": "operator", "bob": "viewer"])
        let lines = try edge.run(
            """
            # Tries come back with time, and checking one takes some: so as many as it needs.
            codes = []
            while len(codes) < 100 and 429 not in codes: codes.append(sign_in("ada", "wrong wrong wrong")[0])
            print(len(codes) > 10, codes[-1], set(codes[:-1]))
            status, headers, body = http("/v1/token", json.dumps({"username": "ada", "password": "\(Fleet.password(of: "ada"))"}))
            print(status, int(headers["retry-after"]) >= 1, json.loads(body)["error"]["code"])
            print(sign_in("bob", "\(Fleet.password(of: "bob"))")[0])
            """)
        #expect(lines == ["True 429 {401}", "429 True rate_limited", "200"], "\(lines)")
    }

    @Test(
        "A disabled user, one with a new password and one who is gone lose their connections; a new role holds at once")
    func changes() throws {
        let fleet = try Fleet(Self.events, partitions: 1)
        let edge = try start(
            fleet, users: ["ada": "operator", "bob": "operator", "cyd": "operator", "dan": "viewer", "eve": "operator"])
        let coordinator = Fleet.binaries.appending(path: "coordinator").path
        let lines = try edge.run(
            """
            import subprocess
            def command(*words, input=None):
                subprocess.run(["\(coordinator)", *words, "--config", "\(try fleet.writeConfiguration())", "--runtime-dir", "\(fleet.folder)"],
                    check=True, text=True, input=input, stdout=subprocess.DEVNULL)
            tokens = {u: sign_in(u, f"secret-of-{u}-0")[1]["token"] for u in ("ada", "bob", "cyd", "dan", "eve")}
            all = {u: v1(t) for u, t in tokens.items()}
            device = plain("?token=" + tokens["ada"])
            publish = {"type": "publish", "id": 3, "stream": "events", "data": {"n": 1}}
            print(ask(all["ada"], publish)["type"], ask(all["dan"], publish)["code"])
            command("users", "disable", "ada")
            command("users", "set-password", "bob", input="another secret of bob\\n")
            command("psql", "-c", "DELETE FROM millrace.users WHERE username = 'cyd'")
            command("users", "set-role", "dan", "--role", "operator")
            for user in ("ada", "bob", "cyd"): print(user, *ended(all[user]))
            print("device", ended(device)[0])
            print(http("/v1/streams/events", '{"n":2}', token=tokens["ada"])[0])
            print(http("/v1/token", "", token=tokens["bob"])[0])
            def promoted(): assert ask(all["dan"], publish)["type"] == "ack"
            until(promoted)
            print(ask(all["eve"], publish)["type"])
            """)
        let reason = "4401 the token counts no more; sign in again"
        #expect(
            lines == [
                "ack forbidden", "ada \(reason)", "bob \(reason)", "cyd \(reason)", "device 4401", "401", "401", "ack",
            ], "\(lines)")
    }

    @Test("An open connection takes a new token of the same user, and ends when its token has expired")
    func refresh() throws {
        let fleet = try Fleet(Self.events, partitions: 1)
        let keys = TokenKeys.make()
        let edge = try start(
            fleet, users: ["ada": "operator", "bob": "viewer"], environment: [TokenKeys.variable: keys.text])
        let now = Int64(Date().timeIntervalSince1970)
        func version(_ name: String) throws -> Int64 {
            Int64(try fleet.rows("SELECT changed FROM millrace.user_states(ARRAY['\(name)'])")[0])!
        }
        func token(_ user: String, _ seconds: Int64, keys: TokenKeys) throws -> String {
            try #require(
                TokenSigner(keys).token(
                    .init(
                        user: user, role: "viewer", issuedAt: now - 60, expiresAt: now + seconds,
                        version: try version(user))))
        }
        // It still counts, for a few seconds.
        let lines = try edge.run(
            """
            short, long, other, foreign = "\(try token("ada", 4, keys: keys))", "\(try token("ada", 600, keys: keys))", "\(try token("bob", 600, keys: keys))", "\(try token("ada", 600, keys: .make()))"
            a, b = raw(), raw()
            for c in (a, b): print(ask(c, {"type": "connect", "id": 1, "token": short})["user"])
            print(ask(a, {"type": "connect", "id": 2, "token": other})["code"])
            print(ask(a, {"type": "connect", "id": 3, "token": foreign})["code"])
            answer = ask(a, {"type": "connect", "id": 4, "token": long})
            print(answer["type"], answer["expires_at"] == \(now + 600))
            print(ended(b))
            print(ask(a, {"type": "connect", "id": 5})["user"])
            c = raw()
            print(ask(c, {"type": "connect", "id": 1, "token": foreign})["code"], ended(c)[0])
            try: raw(foreign)
            except InvalidStatus as refused: print(refused.response.status_code, refused.response.headers["www-authenticate"])
            print(http("/v1/streams/events/rows", token=foreign)[0])
            """)
        #expect(
            lines == [
                "ada", "ada", "forbidden", "unauthorized", "connected True", "(4401, 'the token has expired')", "ada",
                "unauthorized 4401", "401 Bearer", "401",
            ], "\(lines)")
    }
}
