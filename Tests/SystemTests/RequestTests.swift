import Common
import Foundation
import TestSupport
import Testing

@Suite("Requests that an edge can't serve", .serialized, .timeLimit(.minutes(5)))
struct RequestTests {
    private static let levels = StreamDefinition(
        name: "levels", topics: [], mode: .upsert, key: ["id"], columns: [Column("id", .text, required: true)])

    @Test("Each is answered once under its own id, says what to ask for, and is final unless time will mend it")
    func refusals() throws {
        let fleet = try Fleet(Self.levels, partitions: 1)
        try fleet.launch(shards: 1)
        let edge = try EdgeUnderTest(fleet, name: "one")
        let web = try HTTPClient(edge.address)
        try fleet.wait("an edge that knows the streams", seconds: 60) { try web.get("/readyz").status == 200 }
        let lines = try edge.run(
            """
            c = v1()
            def answers(text):
                c.send(text)
                print(c.recv(timeout=60))
            answers(r'{"id":"a \\u00e9 /","type":"subscribe","stream":"level"}')
            answers('{"id":9007199254740993,"type":"subscribe","stream":"levels","last":3}')
            answers('{"type":"subscribe","id":-1.50,"stream":"traffic"}')
            answers('{"type":"subscribe","id":1,"stream":5}')
            answers('{"type":"what","id":2}')
            answers('{"type":"subscribe","id":[3]}')
            answers('{"type":"subscribe","id":4x}')
            for address, asked in ((url + "x", ["millrace.v1.json"]), (url, ["mqtt"])):
                try: dial(address, subprotocols=asked)
                except InvalidStatus as error: print(error.response.status_code, error.response.body.decode().strip())
            with plain("?subscribe=level") as p: print(p.recv(timeout=60))
            """)
        let malformed =
            #""code":"bad_request","message":"a request is a JSON object with a text 'type', "#
            + #"a number or text as 'id', and fields of their types"}"#
        #expect(
            lines == [
                #"{"type":"error","id":"a \u00e9 /","code":"unknown_stream","message":"#
                    + #""there is no stream 'level'; did you mean: levels"}"#,
                #"{"type":"error","id":9007199254740993,"code":"unsupported","message":"#
                    + #""'last' is for logs; a table of one row a key has a 'snapshot'"}"#,
                #"{"type":"error","id":-1.50,"code":"unknown_stream","message":"#
                    + #""there is no stream 'traffic'; there are: levels"}"#,
                #"{"type":"error","id":1,"# + malformed,
                #"{"type":"error","id":2,"code":"bad_request","message":"there is no request 'what'"}"#,
                #"{"type":"error","id":null,"# + malformed, #"{"type":"error","id":null,"# + malformed,
                "404 there is no WebSocket here; there is one at: /ws with the subprotocol 'millrace.v1.json' or none",
                "400 ask for the subprotocol 'millrace.v1.json' or none",
                #"{"error":"there is no stream 'level'; did you mean: levels"}"#,
            ])
    }
}
