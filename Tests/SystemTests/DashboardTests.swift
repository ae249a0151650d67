import Common
import Foundation
import TestSupport
import Testing

@Suite("The dashboard", .serialized, .timeLimit(.minutes(6)))
struct DashboardTests {
    private static let cameras = 20

    private static func id(_ camera: Int) -> String { "00000000-0000-4000-8000-0000000000\(10 + camera)" }

    private static func busLongitude(_ round: Int) -> Double { 13.3 + Double(round) / 1000 }

    /// Rounds of rows, one a camera each; a camera's are of one partition. The first camera is on a bus.
    private func produce(rounds: Range<Int>, _ fleet: Fleet) throws {
        let timestamp = Date.now.ISO8601Format(.init(includingFractionalSeconds: true))
        var records: [Int32: [(key: String?, value: String?)]] = [:]
        for round in rounds {
            for camera in 0..<Self.cameras {
                let longitude = camera == 0 ? Self.busLongitude(round) : 13.3 + Double(camera) / 100
                let record = """
                    {"timestamp":"\(timestamp)","stream_id":"\(Self.id(camera))","location":"Camera \(camera)",\
                    "longitude":\(longitude),"latitude":52.5,"numbers_of_cars":\(round % 40),\
                    "label":"\(round % 2 == 0 ? "free" : "jam")","type":"\(camera == 0 ? "bus" : "camera")"}
                    """
                records[Int32(camera) % fleet.partitions, default: []].append((Self.id(camera), record))
            }
        }
        try fleet.kafka.produce(records, to: fleet.topic)
    }

    /// Its marker is where it was in this round.
    private func waitForBus(round: Int, on page: DashboardPage, _ fleet: Fleet) throws {
        try fleet.wait("the bus's marker at its place of round \(round)", seconds: 30) {
            let place = try page.ask("marker \(Self.id(0))").place ?? []
            return place.count == 2 && abs(place[1] - Self.busLongitude(round)) < 1e-9
        }
    }

    @Test("Rows arrive and a marker moves; when its edge is killed, the page goes on at the next one without a gap")
    func resuming() throws {
        let traffic = try #require(BuiltInStreams.all().first { $0.name == "traffic_data" })
        let fleet = try Fleet(traffic, partitions: 3)
        try fleet.launch(shards: 2)
        let first = try EdgeUnderTest(fleet, name: "first")
        let page = try DashboardPage("http://\(first.address)/", fleet)
        try page.ask("wait-state live")

        try produce(rounds: 0..<10, fleet)
        #expect(try page.ask("wait-rows 200").cameras == Self.cameras)
        try waitForBus(round: 9, on: page, fleet)
        try produce(rounds: 10..<15, fleet)
        try waitForBus(round: 14, on: page, fleet)
        try page.ask("wait-rows 300")

        first.kill()
        try page.ask("wait-state reconnecting")
        // Nobody is there to see these.
        try produce(rounds: 15..<30, fleet)
        try fleet.waitForRecords(600)
        let second = try EdgeUnderTest(fleet, name: "second", listen: first.address)
        try page.ask("wait-resumed 1")
        try page.ask("wait-state live")
        try produce(rounds: 30..<35, fleet)
        // What came twice before would make too many of it.
        let facts = try page.ask("wait-rows 700")
        #expect(try fleet.rows("SELECT count(*) FROM traffic_data") == ["\(facts.rows ?? -1)"])
        #expect(facts.gaps == 0 && facts.repeats == 0 && facts.resumed == 1)
        #expect(facts.cameras == Self.cameras)
        #expect(facts.errors == [])

        try waitForBus(round: 34, on: page, fleet)
        second.kill()
    }

    @Test("Where reading needs a user the page asks for one, says when it is none, and keeps a token for its tab only")
    func signingIn() throws {
        let traffic = try #require(BuiltInStreams.all().first { $0.name == "traffic_data" })
        let fleet = try Fleet(traffic, partitions: 3)
        try fleet.launch(shards: 1)
        let edge = try EdgeUnderTest(fleet, name: "one", listen: "0.0.0.0:0", options: [])
        let port = edge.address.split(separator: ":")[1]
        let client = try HTTPClient("127.0.0.1:\(port)")
        try fleet.wait("an edge that is ready", seconds: 60) { try client.get("/readyz").status == 200 }
        try fleet.addUsers(["vic": "viewer"])
        let page = try DashboardPage("http://127.0.0.1:\(port)/", fleet)
        try page.ask("sign-in vic wrong-wrong-wrong")
        #expect(try page.ask("wait-refusal").refusal == "the user name or the password is wrong")
        try page.ask("sign-in vic \(Fleet.password(of: "vic"))")
        try page.ask("wait-user")
        try page.ask("wait-state live")
        try produce(rounds: 0..<10, fleet)
        #expect(try page.ask("wait-rows 200").cameras == Self.cameras)
        let kept = try page.ask("kept")
        #expect(kept.kept == [0, 1, 0] && kept.button == "Sign out vic")

        // Who may no longer is asked again, and sees nothing more.
        try fleet.done("users", "disable", "vic")
        try page.ask("wait-state refused")
        try page.ask("wait-dialog")
        #expect(try page.ask("kept").kept == [0, 0, 0])
    }
}
