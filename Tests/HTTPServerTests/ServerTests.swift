import HTTPServer
import TestSupport
import Testing

@Suite("The HTTP server", .timeLimit(.minutes(1)))
struct ServerTests {
    private func makeServer(limits: Server.Limits = .init()) throws -> Server {
        try Server(host: "127.0.0.1", port: 0, limits: limits) { path in
            path == "/here" ? Response(status: 200, body: "grüße\n") : Response(status: 404, body: path)
        }
    }

    @Test("GET is answered with the closure's status, type and body; the query is no part of the path")
    func get() throws {
        let server = try makeServer()
        let client = try HTTPClient(server.address)
        let answer = try client.get("/here?a=b")
        #expect(answer.status == 200 && answer.body == "grüße\n")
        #expect(answer.fields["content-type"] == "text/plain; charset=utf-8")
        #expect(answer.fields["content-length"] == "8")
        #expect(try client.get("/elsewhere").status == 404)
    }

    @Test("HEAD is answered like GET, without the body")
    func head() throws {
        let server = try makeServer()
        let answer = try HTTPClient(server.address).request("HEAD /here HTTP/1.1")
        #expect(answer.status == 200 && answer.body == "" && answer.fields["content-length"] == "8")
    }

    @Test("Other methods are refused with 405", arguments: ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
    func methods(method: String) throws {
        let server = try makeServer()
        let line = method + " /here HTTP/1.1"
        let answer = try HTTPClient(server.address).request(line, body: "{}")
        #expect(answer.status == 405 && answer.fields["allow"] == "GET, HEAD")
    }

    @Test("A head that is too long, a body with GET, and what is no HTTP do not reach the closure")
    func refused() throws {
        let server = try makeServer()
        let client = try HTTPClient(server.address)
        let path = "/" + String(repeating: "a", count: 100_000)
        #expect([414, 431].contains(try client.get(path).status))
        #expect(try client.exchange("GET /here HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}") == "")
        #expect(!(try client.exchange("hello\r\n\r\n").contains("200")))
        #expect(try client.get("/here").status == 200)
    }

    @Test("One that says nothing is hung up on, and does not keep others from being answered")
    func idle() throws {
        var limits = Server.Limits()
        limits.idleSeconds = 1
        let server = try makeServer(limits: limits)
        let client = try HTTPClient(server.address)
        #expect(try client.exchange("GET /here HTTP/1.1\r\nHost: a\r\n") == "")
        #expect(try client.get("/here").status == 200)
    }

    @Test("A port that is taken is an error that says so, and free again when its server is gone")
    func taken() throws {
        var server: Server? = try makeServer()
        let address = try #require(server?.address)
        let port = try #require(UInt16(address.split(separator: ":")[1]))
        func another() throws(HTTPError) -> Server {
            try Server(host: "127.0.0.1", port: port) { Response(status: 200, body: $0) }
        }
        do throws(HTTPError) {
            _ = try another()
            Issue.record("a port was bound twice")
        } catch {
            #expect(error.description == "bind: Address already in use")
        }
        server = nil
        let next = try another()
        #expect(next.address == address)
        #expect(try HTTPClient(address).get("/x").body == "/x")
    }

    @Test("A host that has no address is an error of looking it up")
    func unknownHost() throws {
        do throws(HTTPError) {
            _ = try Server(host: "no.such.host.invalid", port: 0) { _ in Response(status: 200, body: "") }
            Issue.record("it listens on a host that doesn't exist")
        } catch {
            #expect(error.operation == "resolve")
        }
    }
}
