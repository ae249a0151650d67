import Common
import Foundation
import TestSupport
import Testing
import WebServer

@Suite("Hostile HTTP requests", .timeLimit(.minutes(2)))
struct HostileRequestTests {
    private func makeServer(_ limits: WebServerLimits = .init()) throws -> (WebServerThread, HTTPClient) {
        let server = try WebServerThread(ListenAddress("127.0.0.1:0")!, limits: limits, name: "test") {
            var routes = Routes()
            routes.get("/here") { $0.respond(.text(200, "here\n")) }
            routes.get("/long") { $0.respond(.text(200, String(repeating: "long ", count: 800_000))) }
            routes.post("/count", bodyLimit: 100_000) { $0.respond(.text(200, String($0.request.body.count))) }
            return routes
        }
        return (server, try HTTPClient(server.address.description))
    }

    private func python(_ server: WebServerThread, _ text: String) throws -> [String] {
        let script = """
            import socket, time
            def connect(text=""):
                s = socket.create_connection("\(server.address)".split(":"), timeout=60)
                s.sendall(text.encode())
                return s
            def rest(s):
                got = b""
                try:
                    while more := s.recv(65536): got += more
                except ConnectionError: pass
                return got.decode()
            def drip(s, text):
                \"""A byte at a time; true once nobody listens any more.\"""
                try:
                    for letter in text:
                        s.sendall(letter.encode())
                        time.sleep(0.1)
                except ConnectionError: return True
                return False
            \(text)
            """
        return try shell("timeout 100 python3 - <<'PYTHON'\n\(script)\nPYTHON").split(separator: "\n").map(String.init)
    }

    @Test("A body whose end others may see elsewhere is refused, and nothing behind it is taken for a request")
    func transferCodings() throws {
        let (server, client) = try makeServer()
        let hidden = "GET /here HTTP/1.1\r\nHost: a\r\n\r\n"
        for head in [
            "GET /here HTTP/1.1\r\nTransfer-Encoding: chunked", "POST /count HTTP/1.1\r\nTransfer-Encoding: chunked",
            "POST /count HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked",
            "POST /count HTTP/1.1\r\nTransfer-Encoding: identity\r\nContent-Length: 3",
        ] {
            let text = try client.exchange("\(head)\r\nHost: a\r\n\r\n0\r\n\r\n\(hidden)")
            #expect(text.hasPrefix("HTTP/1.1 501 ") && !text.contains("here\n"), "\(head): \(text)")
        }
        for length in ["+3", "3, 3", "3\r\nContent-Length: 3", "0x3", "3 3", "99999999999999999999"] {
            let text = try client.exchange(
                "POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: \(length)\r\n\r\nabc\(hidden)")
            #expect(text.hasPrefix("HTTP/1.1 411 ") && !text.contains("here\n"), "\(length): \(text)")
        }
        #expect(try client.get("/here").status == 200)
        withExtendedLifetime(server) {}
    }

    @Test("Upgrades that are none are answered once: what may be ignored is, and what isn't HTTP ends")
    func upgrades() throws {
        let (server, client) = try makeServer()
        func answer(_ fields: String, _ line: String = "GET /here HTTP/1.1") throws -> String {
            try client.exchange(
                "\(line)\r\nHost: a\r\n\(fields)\r\n\r\nGET /here HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        }
        // As Java's client asks, and curl --http2.
        let java = try answer("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__")
        #expect(java.components(separatedBy: "HTTP/1.1 200 ").count == 3 && java.hasSuffix("here\n"), "\(java)")
        let other = try answer("Connection: Upgrade\r\nUpgrade: TLS/1.0")
        #expect(other.components(separatedBy: "HTTP/1.1 ").count <= 2 && !other.contains("here"), "\(other)")
        #expect(try answer("X: y", "CONNECT here:80 HTTP/1.1") == "")
        #expect(try answer("X: y", "PRI * HTTP/2.0").contains("here") == false)
        withExtendedLifetime(server) {}
    }

    @Test("A head that comes byte by byte is hung up on in time, however busy it looks")
    func slowHead() throws {
        var limits = WebServerLimits()
        limits.idleSeconds = 2
        let (server, _) = try makeServer(limits)
        let lines = try python(
            server,
            #"""
            s = connect("GET /here HTTP/1.1\r\n")
            print(drip(s, "X: " + "y" * 590))
            """#)
        #expect(lines == ["True"])
    }

    @Test("A body that comes byte by byte is answered with 408 in time; what it has sent makes room for others")
    func slowBody() throws {
        var limits = WebServerLimits()
        (limits.bodySeconds, limits.bodiesByteCount) = (5, 60_000)
        let (server, client) = try makeServer(limits)
        let lines = try python(
            server,
            #"""
            post = "POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: "
            def status(s): return s.recv(100).split(b" ")[1].decode()
            # Who announces much and sends little takes no room.
            idle = [connect(post + "100000\r\n\r\nx") for _ in range(20)]
            print(status(connect(post + "5\r\n\r\nabcde")))
            while True:
                s = connect(post + "100000\r\n\r\n" + "x" * 50000)
                if status(connect(post + "20000\r\n\r\n" + "x" * 20000)) == "503": break
                s.close()
            print("no room")
            s.settimeout(0.05)
            while True:
                try: s.sendall(b"x")
                except OSError: pass
                try: print(status(s)); break
                except TimeoutError: pass
            print(status(connect(post + "20000\r\n\r\n" + "x" * 20000)))
            """#)
        #expect(lines == ["200", "no room", "408", "200"])
        #expect(try client.get("/here").status == 200)
    }

    @Test(
        "Long answers that nobody takes are bounded: others get theirs, of these a short refusal, until room is there again"
    )
    func untaken() throws {
        var limits = WebServerLimits()
        (limits.answersByteCount, limits.answerSeconds) = (10_000_000, 3)
        let (server, client) = try makeServer(limits)
        let lines = try python(
            server,
            #"""
            get = "GET /long HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            def status(s): return s.recv(12).split(b" ")[1].decode()
            def slow():
                s = socket.socket()
                s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                s.connect(connect().getpeername())
                s.sendall(get.encode())
                return s
            held = [slow() for _ in range(2)]
            print(*(status(s) for s in held), status(connect(get)))
            print(len(rest(connect("GET /here HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))) > 0)
            # Whoever takes nothing for too long is let go, and then there is room.
            while status(s := connect(get)) != "200": s.close(); time.sleep(0.1)
            print(len(rest(s)) > 4_000_000)
            """#)
        #expect(lines == ["200 200 503", "True", "True"])
        #expect(try client.get("/long").body.utf8.count == 4_000_000)
    }
}
