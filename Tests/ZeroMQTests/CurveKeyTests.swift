import Testing
import ZeroMQ

@Suite("CURVE keys")
struct CurveKeyTests {
    private static func filled(_ start: String, with character: Character) -> String {
        start + String(repeating: character, count: 40 - start.utf8.count)
    }

    /// Texts, and what the error says of them.
    private static let noKeys: [(String, String)] = [
        ("", "this text has 0"),
        ("short-and-private", "this text has 17"),
        (filled("", with: "a") + "a", "this text has 41"),
        (filled("private", with: " "), "character 8"),
        (filled("private", with: "\""), "character 8"),
        (filled("private\0", with: "a"), "character 8"),
        (String(repeating: "é", count: 20), "character 1"),
        // More than 32 bits in five characters.
        (filled("", with: "#"), "encode no key"),
    ]

    /// All that could be seen of what went wrong.
    private func shownError(_ body: () throws -> Void) throws -> String {
        do {
            try body()
        } catch let error as ZeroMQError {
            var dumped = ""
            dump(error, to: &dumped)
            return "\(error) \(dumped)"
        }
        Issue.record("nothing went wrong")
        return ""
    }

    @Test("A pair is new each time, and its public half follows from the secret one")
    func pair() throws {
        let pair = try CurveKeyPair.generate()
        #expect(try CurveKeyPair(secretKey: CurveSecretKey(pair.secretKey.text)) == pair)
        #expect(try CurveKeyPair.generate() != pair)
        #expect(pair.publicKey.text.utf8.count == 40 && pair.secretKey.text.utf8.count == 40)
    }

    @Test("The public half is that of zmq_curve_public's manual page")
    func known() throws {
        let secret = try CurveSecretKey("D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs")
        #expect(try CurveKeyPair(secretKey: secret).publicKey.text == "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID")
    }

    @Test(
        "A text that is no key is refused, and the error doesn't repeat it",
        arguments: noKeys)
    func malformed(text: String, reason: String) throws {
        for shown in [
            try shownError { _ = try CurveSecretKey(text) }, try shownError { _ = try CurvePublicKey(text) },
        ] {
            #expect(shown.contains(reason))
            #expect(!shown.contains("private"))
        }
    }

    @Test("A secret shows in no description, dump or mirror")
    func hidden() throws {
        let pair = try CurveKeyPair.generate()
        let credentials = CurveCredentials(own: pair, server: try CurveKeyPair.generate().publicKey)
        let values: [Any] = [pair.secretKey, pair, credentials, [pair], Optional(pair) as Any, ["key": credentials]]
        for value in values {
            var dumped = ""
            dump(value, to: &dumped)
            for shown in ["\(value)", String(reflecting: value), dumped] {
                #expect(!shown.contains(pair.secretKey.text))
            }
        }
        // The public half is what tells pairs apart in a log.
        #expect("\(credentials)".contains(pair.publicKey.text))
    }

    @Test("Credentials come back from their text, with comments and empty lines or without")
    func credentials() throws {
        let credentials = CurveCredentials(own: try .generate(), server: try CurveKeyPair.generate().publicKey)
        #expect(try CurveCredentials(text: credentials.text) == credentials)
        #expect(try CurveCredentials(text: "# edge 1\r\n\r\n\t" + credentials.text + "# end") == credentials)
    }

    @Test("Text without both lines is refused by the line's number, and the error doesn't repeat it")
    func malformedCredentials() throws {
        let secret = try CurveKeyPair.generate().secretKey.text
        for (text, reason) in [
            ("", "needs the lines"),
            ("client-secret \(secret)\n", "needs the lines"),
            ("client-secret \(secret)\nclient-secret \(secret)", "line 2"),
            ("# comment\n\(secret)", "line 2"),
            ("client-secret \(secret) \(secret)", "line 1"),
            ("client-secret x\(secret)\nserver-public \(secret)", "41"),
        ] {
            let shown = try shownError { _ = try CurveCredentials(text: text) }
            #expect(shown.contains(reason))
            #expect(!shown.contains(secret))
        }
    }
}
