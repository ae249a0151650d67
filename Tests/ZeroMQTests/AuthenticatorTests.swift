import Testing
import ZeroMQ

/// The requests of libzmq itself are in CurveSocketTests; here are those that it would never make.
@Suite("Authenticator", .timeLimit(.minutes(1)))
struct AuthenticatorTests {
    private static func request(
        version: String = "1.0", mechanism: String = "CURVE", credentials: [[UInt8]] = [Array(repeating: 7, count: 32)]
    ) -> [[UInt8]] {
        let head: [String] = ["", version, "id 1", "domain", "10.0.0.1", "routing id", mechanism]
        return head.map { Array($0.utf8) } + credentials
    }

    private static let refusedRequests: [([[UInt8]], String)] = {
        let short = [UInt8](repeating: 7, count: 31)
        let long = [UInt8](repeating: 7, count: 40)
        let right = [UInt8](repeating: 7, count: 32)
        return [
            (request(), "400"),
            (request(mechanism: "NULL", credentials: []), "400"),
            (request(mechanism: "PLAIN", credentials: [short, long]), "400"),
            (request(version: "2.0"), "500"),
            (request(credentials: []), "500"),
            (request(credentials: [short]), "500"),
            (request(credentials: [long]), "500"),
            (request(credentials: [right, []]), "500"),
            (Array(request().prefix(5)), "500"),
        ]
    }()

    private static let unanswerable: [[[UInt8]]] = [
        [[1, 2, 3]], [[]], [[], Array("1.0".utf8)], [[9], Array("1.0".utf8), [1], [2]],
    ]

    /// Answers that come to the request, when a good one follows it: the way to know that nothing more will come.
    private func answers(to request: [[UInt8]]) throws -> (answers: [[[UInt8]]], refused: Int) {
        let context = Context()
        let authenticator = try Authenticator(in: context, allowedKeys: [])
        let asker = try Socket(.dealer, in: context)
        try asker.connect("inproc://zeromq.zap.01")
        #expect(try asker.send(request))
        #expect(try asker.send([[], Array("1.0".utf8), Array("last".utf8)]))
        var answers: [[[UInt8]]] = []
        for _ in 0..<1000 {
            var poller = Poller()
            poller.add(authenticator)
            try poller.wait(.milliseconds(10))
            try authenticator.serve()
            while let answer = try asker.receive() {
                if answer[2] == Array("last".utf8) { return (answers, authenticator.refusedCount - 1) }
                answers.append(answer)
            }
        }
        Issue.record("the last request was not answered")
        return (answers, authenticator.refusedCount)
    }

    @Test(
        "A request that is not for a listed CURVE key is refused, or called malformed",
        arguments: refusedRequests)
    func refused(request: [[UInt8]], status: String) throws {
        let (answers, refused) = try answers(to: request)
        let answer = try #require(answers.first)
        try #require(answers.count == 1 && answer.count == 7)
        // Empty, version, request id, status, text, user id, metadata: RFC 27.
        #expect(answer[..<4] == [[], Array("1.0".utf8), Array("id 1".utf8), Array(status.utf8)])
        #expect(answer[5...] == [[], []])
        #expect(refused == 1)
    }

    @Test(
        "A message without a request id is dropped and counted",
        arguments: unanswerable)
    func dropped(request: [[UInt8]]) throws {
        let (answers, refused) = try answers(to: request)
        #expect(answers.isEmpty)
        #expect(refused == 1)
    }

    @Test("There is one authenticator a context")
    func second() throws {
        let context = Context()
        let first = try Authenticator(in: context, allowedKeys: [])
        #expect(throws: ZeroMQError.self) { try Authenticator(in: context, allowedKeys: []) }
        withExtendedLifetime(first) {}
    }
}
