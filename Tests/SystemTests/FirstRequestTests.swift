import Common
import Foundation
import TestSupport
import Testing

@Suite("An edge's first moments", .timeLimit(.minutes(2)))
struct FirstRequestTests {
    private static let things = StreamDefinition(
        name: "things", topics: [], mode: .append, key: [], columns: [Column("n", .bigint, required: true)])

    @Test("Who asks before the edge knows its fleet waits for that, and is answered")
    func early() throws {
        let fleet = try Fleet(Self.things, partitions: 1)
        try fleet.launch(shards: 1)
        try fleet.kafka.produce([#"{"n":1}"#], to: fleet.topic)
        try fleet.waitForRecords(1)
        for number in 0..<5 {
            let edge = try EdgeUnderTest(fleet, name: "\(number)")
            let answer = try HTTPClient(edge.address).get("/v1/streams/things/rows?limit=1")
            #expect(answer.status == 200, "\(answer.body)")
            edge.kill()
        }
    }

    @Test("Where there is no fleet it is said after a while")
    func lonely() throws {
        let fleet = try Fleet(Self.things, partitions: 1)
        let edge = try EdgeUnderTest(fleet, name: "lonely")
        let answer = try HTTPClient(edge.address).get("/v1/streams/things/rows?limit=1")
        #expect(answer.status == 503)
        #expect(answer.body.contains("this edge has not heard of the fleet's streams yet"))
    }
}
