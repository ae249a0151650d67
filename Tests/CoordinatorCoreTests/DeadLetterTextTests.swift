import CoordinatorCore
import Foundation
import Testing

@Suite("Dead letters as text")
struct DeadLetterTextTests {
    @Test("What a record holds is shown and not obeyed: control bytes are seen, and nothing forges a line")
    func controls() throws {
        let json = #"""
            {"id": 7, "stream": "s", "topic": "t", "partition": 0, "offset": 3, "reasonCode": "refused",
             "reason": "no \u001b[2J", "failedAt": "2026-11-25T22:00:00Z", "state": "dead", "key": "a\n    value: forged",
             "value": "\u0000\u0000\u0000\u0000\u0007{\"n\":1}\u0085", "headers": "[[\"h\", \"täglich\"]]"}
            """#
        let letter = try JSONDecoder().decode(DeadLetters.Letter.self, from: Data(json.utf8))
        #expect(
            letter.text == #"""
                7  2026-11-25T22:00:00Z  s  t:0@3  dead  refused: no ␛[2J
                    key: a␊    value: forged
                    value: ␀␀␀␀␇{"n":1}<U+0085>
                    headers: [["h", "täglich"]]
                """#)
    }
}
