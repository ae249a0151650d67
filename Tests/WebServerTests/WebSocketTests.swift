import Common
import TestSupport
import Testing
import WebServer

/// Spoken to by a client that is not ours.
@Suite("A server's WebSockets", .timeLimit(.minutes(1)))
struct WebSocketTests {
    /// Runs a server while a client, in Python, does something; its output. `url` and `connect` are defined there.
    private func output(of client: String, limits: WebServerLimits = .init()) throws -> [String] {
        let server = try WebServerThread(ListenAddress("127.0.0.1:0")!, limits: limits, name: "test") {
            let handler = EchoHandler()
            var routes = Routes()
            routes.origins = OriginRule(["https://friend.example"])
            routes.webSocket("/ws", subprotocols: ["test"], handler)
            routes.webSocket("/plain", subprotocols: ["test", "other"], isPlainAllowed: true, handler)
            routes.get("/livez") { $0.respond(.text(200, "alive\n")) }
            return routes
        }
        let address = server.address
        let script = """
            import urllib.request, urllib.error
            from websockets.sync.client import connect as dial
            from websockets.exceptions import *
            url = "ws://\(address)/ws"
            def connect(url=url, subprotocols=["test"], **more):
                return dial(url, subprotocols=subprotocols, max_size=None, compression=None, **more)
            def refusal(**arguments):
                try: connect(**arguments); return "let in"
                except InvalidStatus as error: return (error.response.status_code, error.response.body.decode().strip())
            def get(path):
                try: return urllib.request.urlopen("http://\(address)" + path).read().decode().strip()
                except urllib.error.HTTPError as error: return error.code
            def end(connection):
                try:
                    while True: connection.recv(timeout=20)
                except ConnectionClosed as error:
                    return (error.rcvd.code, error.rcvd.reason) if error.rcvd else "no word"
            \(client)
            """
        return try shell("python3 - <<'PYTHON'\n\(script)\nPYTHON").split(separator: "\n").map(String.init)
    }

    @Test("Messages come whole, whatever their length and however many")
    func messages() throws {
        let lines = try output(
            of: """
                with connect() as c:
                    for n in (1, 125, 126, 4095, 4096, 4097, 65000):
                        c.send("é" * (n // 2) + "x" * (n % 2))
                        print(len(c.recv().encode()) == n)
                    c.send(["frag", "men", "ted"])
                    print(c.recv())
                    c.send("burst 5000")
                    print(sum(len(c.recv()) for _ in range(5000)))
                """)
        #expect(lines == .init(repeating: "true", count: 7).map { $0.capitalized } + ["fragmented", "50000"])
    }

    @Test("What breaks the rules ends the connection with the code that says so, and nobody else's")
    func endings() throws {
        let lines = try output(
            of: """
                with connect() as witness:
                    with connect() as c: c.send("x" * 70000); print(end(c))
                    with connect() as c: c.send(b"binary"); print(end(c))
                    with connect() as c: c.send("close"); print(end(c))
                    with connect() as c: c.send("abort"); print(end(c))
                    witness.send("still here"); print(witness.recv())
                """)
        #expect(
            lines == [
                "(1009, 'a message has at most 65536 bytes')", "(1003, 'text messages only')", "(4503, 'draining')",
                "no word", "still here",
            ])
    }

    @Test("Who is refused is told why, in an HTTP answer")
    func refusals() throws {
        let lines = try output(
            of: """
                print(refusal(url=url + "x"))
                print(refusal(subprotocols=None))
                print(refusal(subprotocols=["other"]))
                held = [connect() for _ in range(3)]
                print(refusal())
                held[0].close()
                while (last := refusal()) != "let in": pass
                print(last)
                """)
        #expect(
            lines == [
                "(404, \"there is no WebSocket here; there is one at: /ws with the subprotocol 'test';"
                    + " /plain with the subprotocol 'test' or 'other' or none\")",
                "(400, \"ask for the subprotocol 'test'\")", "(400, \"ask for the subprotocol 'test'\")",
                "(503, 'three are enough')", "let in",
            ])
    }

    @Test("A path may have several subprotocols, or none; a client gets the first of its own that there is")
    func subprotocols() throws {
        let lines = try output(
            of: """
                base = url.replace("/ws", "/plain?a=b")
                with connect(base, subprotocols=None) as c: c.send("bare"); print(c.recv(), c.subprotocol)
                with connect(base, ["unknown", "other", "test"]) as c: c.send("x"); print(c.recv(), c.subprotocol)
                print(refusal(url=base, subprotocols=["unknown"]))
                """)
        #expect(
            lines == [
                "bare None", "x other", "(400, \"ask for the subprotocol 'test' or 'other' or none\")",
            ])
    }

    @Test("Pages of other hosts are refused, unless they are listed")
    func origins() throws {
        let lines = try output(
            of: """
                print(refusal(origin="https://stranger.example"))
                print(refusal(origin="https://friend.example"))
                print(refusal(origin="http://" + url.split("/")[2]))
                print(refusal(origin="null"))
                """)
        #expect(
            lines == [
                "(403, 'pages of https://stranger.example may not connect to this server')", "let in", "let in",
                "(403, 'pages of null may not connect to this server')",
            ])
    }

    @Test("An address has so many connections and no more; those that end make room")
    func connectionLimit() throws {
        var limits = WebServerLimits()
        limits.connectionsPerAddress = 2
        let lines = try output(
            of: """
                first, second = connect(), connect()
                try: connect(open_timeout=20); print("let in")
                except Exception as error: print("hung up on")
                first.close()
                while True:
                    try: print(connect(open_timeout=20).subprotocol); break
                    except Exception: pass
                """, limits: limits)
        #expect(lines == ["hung up on", "test"])
    }

    @Test("One that is silent is asked for a sign of life, and lives on when it answers; else it is ended")
    func pings() throws {
        var limits = WebServerLimits()
        limits.pingSeconds = 3
        let lines = try output(
            of: """
                import socket, os, base64
                def raw():
                    s = socket.create_connection(url.split("/")[2].split(":"))
                    s.sendall(("GET /ws HTTP/1.1\\r\\nHost: h\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n"
                        "Sec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: " + base64.b64encode(os.urandom(16)).decode() +
                        "\\r\\nSec-WebSocket-Protocol: test\\r\\n\\r\\n").encode())
                    head = b""
                    while not head.endswith(b"\\r\\n\\r\\n"): head += s.recv(1)
                    return s
                def rest(s, answers):
                    s.settimeout(30)
                    seen = b""
                    while True:
                        got = s.recv(6, socket.MSG_WAITALL)
                        if not got: return seen
                        seen += got
                        if answers and len(seen) >= 24: return seen
                        if answers: s.sendall(b"\\x8a\\x84" + b"\\0\\0\\0\\0" + got[2:])
                print(rest(raw(), False).hex())
                print(rest(raw(), True).hex())
                """, limits: limits)
        #expect(lines == ["890470696e67", String(repeating: "890470696e67", count: 4)])
    }

    @Test("Plain requests are answered on the same port")
    func plain() throws {
        #expect(try output(of: "print(get('/livez')); print(get('/other'))") == ["alive", "404"])
    }
}
