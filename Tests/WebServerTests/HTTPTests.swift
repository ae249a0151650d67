import Common
import Foundation
import TestSupport
import Testing
import WebServer

@Suite("The web server", .timeLimit(.minutes(1)))
struct HTTPTests {
    private static let any = ListenAddress("127.0.0.1:0")!

    private func makeServer(
        _ address: ListenAddress = any, limits: WebServerLimits = .init(), site: String? = nil
    ) throws(WebServerError) -> WebServerThread {
        try WebServerThread(address, limits: limits, name: "test") {
            var routes = Routes()
            routes.headers = ["x-everywhere": "yes"]
            routes.get("/here") { $0.respond(.text(200, "grüße\n", headers: ["x-own": "too"])) }
            routes.get("/credentials") { exchange in
                exchange.respond(.text(200, String(exchange.request.authorization?.utf8.count ?? 0)))
            }
            routes.get("/echo/*/of/*") { exchange in
                let query = exchange.request.query.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
                exchange.respond(.text(200, (exchange.request.parameters + query).joined(separator: ",")))
            }
            routes.get("/fields") { exchange in
                let fields = ["x-long": String(repeating: "y", count: 20_000)]
                exchange.respond(.text(200, "fields\n", headers: fields))
            }
            routes.get("/large") { $0.respond(.text(200, String(repeating: "x", count: 3_000_000))) }
            routes.post("/sum", bodyLimit: 100_000) { exchange in
                exchange.respond(.text(200, String(exchange.request.body.reduce(0) { $0 + Int($1) })))
            }
            if let site { routes.files("/", folder: site, maxAgeSeconds: 60) }
            return routes
        }
    }

    @Test("GET is answered with status, type and body; the query is no part of the path")
    func get() throws {
        let server = try makeServer()
        let client = try HTTPClient(server.address.description)
        let answer = try client.get("/here?a=b")
        #expect(answer.status == 200 && answer.body == "grüße\n")
        #expect(answer.fields["content-type"] == "text/plain; charset=utf-8")
        #expect(answer.fields["content-length"] == "8")
        #expect(answer.fields["x-own"] == "too" && answer.fields["x-everywhere"] == "yes")
        #expect(try client.get("/elsewhere").status == 404)
        #expect(try client.get("/echo/a%20b/of/c?x=1%2B1&y").body == "a b,c,x=1+1,y=")
        #expect(try client.get("/echo//of/c").status == 404)
    }

    @Test("A token of eight kilobytes comes whole")
    func longHead() throws {
        let server = try makeServer()
        let token = String(repeating: "t", count: 8192)
        let text = try HTTPClient(server.address.description).exchange(
            "GET /credentials HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer \(token)\r\n\r\n")
        #expect(text.hasSuffix("\r\n\r\n8199"), "\(text.prefix(200))")
    }

    @Test(
        "Pages of other hosts send nothing",
        arguments: [("http://evil.example", 403), ("http://localhost", 200), ("", 200)])
    func origins(origin: String, status: Int) throws {
        let server = try makeServer()
        let field = origin.isEmpty ? "" : "Origin: \(origin)\r\n"
        let text = try HTTPClient(server.address.description).exchange(
            "POST /sum HTTP/1.1\r\nHost: localhost\r\n\(field)Connection: close\r\nContent-Length: 1\r\n\r\n!")
        #expect(text.hasPrefix("HTTP/1.1 \(status) "), "\(text.prefix(200))")
    }

    @Test("HEAD is answered like GET, without the body")
    func head() throws {
        let server = try makeServer()
        let answer = try HTTPClient(server.address.description).request("HEAD /here HTTP/1.1")
        #expect(answer.status == 200 && answer.body == "" && answer.fields["content-length"] == "8")
    }

    @Test("Other methods are refused with 405", arguments: ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
    func methods(method: String) throws {
        let server = try makeServer()
        let line = method + " /here HTTP/1.1"
        let answer = try HTTPClient(server.address.description).request(line, body: "{}")
        #expect(answer.status == 405 && answer.fields["allow"] == "GET, HEAD")
    }

    @Test("An answer of any length comes whole, also to one that reads slowly")
    func large() throws {
        let server = try makeServer()
        #expect(try HTTPClient(server.address.description).get("/large").body.utf8.count == 3_000_000)
    }

    @Test("A body comes whole; one that is too long, or of unknown length, is refused before it is kept")
    func bodies() throws {
        let server = try makeServer()
        let client = try HTTPClient(server.address.description)
        func post(_ count: Int) throws -> HTTPClient.Answer {
            try client.request("POST /sum HTTP/1.1", body: String(repeating: "a", count: count))
        }
        #expect(try post(1).body == "97")
        #expect(try post(100_000).body == "9700000")
        #expect(try post(100_001).status == 413)
        #expect(try client.request("POST /sum HTTP/1.1").status == 411)
        #expect(try client.exchange("POST /sum HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n").contains(" 411 "))
        #expect(
            try client.exchange("POST /sum HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
                .hasSuffix("\r\n\r\n0"))
        #expect(try post(2).body == "194")
    }

    /// Sends its events, each as soon as the one before has gone, and ends.
    private final class Events: ConnectionHandler {
        private var left: [[UInt8]]

        init(_ events: [[UInt8]]) { left = events }

        func refusal(of request: HTTPRequest) -> HTTPResponse? { nil }
        func opened(_ connection: ClientConnection) {}
        func received(_ text: [UInt8], from connection: ClientConnection) {}
        func closed(_ connection: ClientConnection) {}

        func nextFrames(for connection: ClientConnection) -> (frames: FrameBuffer, hasMore: Bool)? {
            guard !left.isEmpty else {
                connection.close(1000, "")
                return nil
            }
            var text = EventText()
            text.add(left.removeFirst(), id: "\(left.count)")
            return (FrameBuffer(events: text.bytes), true)
        }
    }

    @Test(
        "A stream of events comes whole and ends with its connection; pages of other hosts get none",
        arguments: [("", nil), ("http://localhost", "http://localhost"), ("http://evil.example", nil)]
            as [(String, String?)])
    func events(origin: String, allowed: String?) throws {
        let large = [UInt8](repeating: UInt8(ascii: "x"), count: 2_000_000)
        let server = try WebServerThread(Self.any, limits: .init(), name: "test") {
            var routes = Routes()
            routes.events("/events") { exchange in
                let headers = exchange.request.allowedOrigin.map { ["access-control-allow-origin": $0] } ?? [:]
                exchange.openEvents(Events([Array("one".utf8), large]), headers: headers) { $0.requestWrite() }
            }
            return routes
        }
        let client = try HTTPClient(server.address.description)
        let field = origin.isEmpty ? "" : "Origin: \(origin)\r\n"
        let text = try client.exchange("GET /events HTTP/1.1\r\nHost: localhost\r\n\(field)\r\n")
        guard origin != "http://evil.example" else {
            #expect(text.hasPrefix("HTTP/1.1 403 "))
            return
        }
        #expect(text.hasPrefix("HTTP/1.1 200 "))
        #expect(text.contains("\r\ncontent-type: text/event-stream\r\n") && text.contains("\r\nconnection: close\r\n"))
        #expect(text.contains("access-control-allow-origin: ") == (allowed != nil))
        #expect(
            text.hasSuffix("\r\n\r\nid: 1\ndata: one\n\nid: 0\ndata: \(String(repeating: "x", count: 2_000_000))\n\n"))
    }

    @Test("Streams of events take no connection that is kept for requests")
    func fullOfEvents() throws {
        var limits = WebServerLimits()
        limits.connections = 1
        let server = try WebServerThread(Self.any, limits: limits, name: "test") {
            var routes = Routes()
            routes.events("/events") { exchange in
                exchange.openEvents(Events([Array("one".utf8)]), headers: [:]) { $0.requestWrite() }
            }
            routes.get("/here") { $0.respond(.text(200, "here\n")) }
            return routes
        }
        let script = """
            import socket
            def connect(): return socket.create_connection("\(server.address)".split(":"), timeout=30)
            def ask(path):
                with connect() as s:
                    s.sendall(f"GET {path} HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n".encode())
                    return s.recv(65536).split()[1].decode()
            print(ask("/events"))
            with connect() as idle:
                # A byte, so that the server has it.
                idle.sendall(b"G")
                codes = []
                while len(codes) < 100 and "503" not in codes: codes.append(ask("/events"))
                print(codes[-1], ask("/here"))
            """
        #expect(try shell("timeout 50 python3 - <<'PYTHON'\n\(script)\nPYTHON") == "200\n503 200")
    }

    @Test("Fields of an answer may be long")
    func longFields() throws {
        let server = try makeServer()
        let answer = try HTTPClient(server.address.description).get("/fields")
        #expect(answer.status == 200 && answer.fields["x-long"]?.count == 20_000 && answer.body == "fields\n")
    }

    @Test("Requests on one connection are answered one after the other")
    func pipeline() throws {
        let server = try makeServer()
        let one = "GET /here HTTP/1.1\r\nHost: a\r\n\r\n"
        let last = "GET /echo/1/of/2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        let text = try HTTPClient(server.address.description).exchange(one + one + one + last)
        #expect(text.components(separatedBy: "HTTP/1.1 200").count == 5)
        #expect(text.hasSuffix("1,2"))
    }

    @Test("A connection serves one request after another, with and without bodies, also after a refusal")
    func keepAlive() throws {
        let server = try makeServer()
        let script = """
            import http.client
            c = http.client.HTTPConnection("\(server.address)")
            def ask(*words):
                c.request(*words); a = c.getresponse(); return (a.status, a.read().decode().strip())
            print(ask("POST", "/sum", "ab"), ask("GET", "/here"), ask("POST", "/sum", "a" * 100001)[0])
            first = c.sock
            print(ask("POST", "/sum", "a" * 5000), ask("POST", "/nowhere", "x" * 9000), ask("GET", "/echo/1/of/2"))
            print(c.sock is first)
            """
        let lines = try shell("python3 - <<'PYTHON'\n\(script)\nPYTHON").split(separator: "\n")
        #expect(
            lines == [
                "(200, '195') (200, 'grüße') 413",
                "(200, '485000') (404, 'there is nothing here') (200, '1,2')", "True",
            ])
    }

    @Test("A head that is too long, and what is no HTTP, do not reach an answer")
    func refused() throws {
        let server = try makeServer()
        let client = try HTTPClient(server.address.description)
        let path = "/here?" + String(repeating: "a", count: 100_000)
        #expect(!(try client.exchange("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n").contains(" 200 ")))
        #expect(!(try client.exchange("hello\r\n\r\n").contains(" 200 ")))
        #expect(try client.get("/here").status == 200)
    }

    @Test("One that says nothing is hung up on, and does not keep others from being answered")
    func idle() throws {
        var limits = WebServerLimits()
        limits.idleSeconds = 1
        let server = try makeServer(limits: limits)
        let client = try HTTPClient(server.address.description)
        #expect(!(try client.exchange("GET /here HTTP/1.1\r\nHost: a\r\n").contains(" 200 ")))
        #expect(try client.get("/here").status == 200)
    }

    @Test("Files of a folder have their types, are not sent again when they are known, and nothing beside them is")
    func files() throws {
        let folder = try shell("mktemp -d /tmp/millrace-site-XXXXXX")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try shell("mkdir \(folder)/site && cd \(folder) && echo secret > secret && echo '<p>' > site/index.html")
        try shell(
            "cd \(folder)/site && echo '1;' > a.js && echo '{}' > r.geojson && echo 'p{}' > s.css && ln -s a.js b.js")
        let server = try makeServer(site: folder + "/site")
        let client = try HTTPClient(server.address.description)
        for (path, type) in [
            ("/", "text/html"), ("/index.html", "text/html"), ("/a.js", "javascript"), ("/b.js", "javascript"),
            ("/s.css", "text/css"), ("/r.geojson", "application/geo+json"),
        ] {
            let answer = try client.get(path)
            #expect(answer.status == 200 && answer.fields["content-type"]?.contains(type) == true, "\(path): \(answer)")
            #expect(answer.fields["x-everywhere"] == "yes")
        }
        #expect(try client.get("/here").body == "grüße\n")
        #expect(try client.get("/missing.js").status == 404)
        for path in ["/../secret", "/%2e%2e/secret", "/a.js/../../secret", "//etc/passwd"] {
            #expect(try client.get(path).body.contains("secret") == false)
            #expect(try client.get(path).status != 200)
        }
        let tag = try #require(try client.get("/a.js").fields["etag"])
        let again = try client.exchange(
            "GET /a.js HTTP/1.1\r\nHost: a\r\nConnection: close\r\nIf-None-Match: \(tag)\r\n\r\n")
        #expect(again.hasPrefix("HTTP/1.1 304"))
    }

    @Test("A port that is taken is an error that says so, and free again when its server is gone")
    func taken() throws {
        var server: WebServerThread? = try makeServer()
        let address = try #require(server?.address)
        do throws(WebServerError) {
            _ = try makeServer(address)
            Issue.record("a port was bound twice")
        } catch {
            #expect(error.description == "bind: Address already in use")
        }
        server = nil
        let next = try makeServer(address)
        #expect(next.address == address)
        #expect(try HTTPClient(address.description).get("/here").status == 200)
    }

    @Test("A host that has no address is an error of looking it up")
    func unknownHost() throws {
        do throws(WebServerError) {
            _ = try makeServer(ListenAddress("no.such.host.invalid:0")!)
            Issue.record("it listens on a host that doesn't exist")
        } catch {
            #expect(error.operation == "resolve")
        }
    }
}
