import Common
import Testing

@testable import WSEdgeCore

@Suite("Ids of events")
struct EventIDTests {
    private static let epoch = "0f8fad5b-d9cb-469f-a165-70867728950e"

    @Test(
        "An id hands back epoch and position as they were",
        arguments: [[:], [1: 0], [1: 127, 2: 128, 3: 16_384, 70_000: .max], [.max: 5], [7: 1 << 40, 8: 3]]
            as [[Int32: Int64]])
    func roundTrip(position: [Int32: Int64]) throws {
        let id = EventID(
            epoch: Self.epoch, position: Dictionary(uniqueKeysWithValues: position.map { (SourceID(rawValue: $0), $1) })
        )
        #expect(EventID(id.text) == id)
        #expect(
            id.text.utf8.allSatisfy {
                Character(UnicodeScalar($0)).isLetter || Character(UnicodeScalar($0)).isNumber || $0 == 45 || $0 == 95
            })
    }

    @Test("A hundred sources of a million rows each take six bytes a source")
    func length() {
        let position = Dictionary(
            uniqueKeysWithValues: (1...100).map { (SourceID(rawValue: $0), Int64(1_000_000 + $0)) })
        #expect(EventID(epoch: Self.epoch, position: position).text.utf8.count < 22 + 600)
    }

    @Test(
        "What no edge has said is no id",
        arguments: [
            "", "x", "D4-tW9nLRp-hZXCGdyiV", "D4-tW9nLRp-hZXCGdyiVDgE", "D4-tW9nLRp-hZXCGdyiVDv__________fwE", "ä",
            "D4-tW9nLRp-hZXCGdyiVDgEFAAY",
        ])
    func garbage(text: String) { #expect(EventID(text) == nil) }
}
