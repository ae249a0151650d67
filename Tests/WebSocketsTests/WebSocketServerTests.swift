import TestSupport
import Testing
import WebSockets

/// Spoken to by a client that is not ours.
@Suite("A WebSocket server")
struct WebSocketServerTests {
    /// Runs a server while a client, in Python, does something; its output. `url` and `connect` are defined there.
    private func output(of client: String) throws -> [String] {
        let server = ServerUnderTest()
        defer { server.stop() }
        let address = try server.address()
        let script = """
            import urllib.request, urllib.error
            from websockets.sync.client import connect as dial
            from websockets.exceptions import *
            url = "ws://\(address)/ws"
            def connect(url=url, subprotocols=["test"]):
                return dial(url, subprotocols=subprotocols, max_size=None, compression=None)
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

    @Test("Another path, no or another subprotocol, and one connection too many are refused")
    func refusals() throws {
        let lines = try output(
            of: """
                def attempt(**arguments):
                    try: return connect(**arguments)
                    except Exception as error: print("refused")
                attempt(url=url + "x")
                attempt(subprotocols=None)
                attempt(subprotocols=["other"])
                held = [attempt() for _ in range(3)]
                attempt()
                held[0].close()
                attempt().close()
                for c in held: c.close()
                """)
        #expect(lines == .init(repeating: "refused", count: 4))
    }

    @Test("Plain requests are answered on the same port")
    func plain() throws {
        #expect(try output(of: "print(get('/livez')); print(get('/other'))") == ["alive", "404"])
    }
}
