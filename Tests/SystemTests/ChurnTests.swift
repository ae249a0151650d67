import Common
import Foundation
import TestSupport
import Testing

/// Many clients, each at another edge every few moments, while edges and workers are killed: what they have in the end is what
/// Postgres holds. Small in every run of the tests; `make measure` makes it large.
@Suite("Churn", .serialized, .timeLimit(.minutes(30)))
struct ChurnTests {
    private static let columns = [
        Column("id", .text, required: true), Column("kind", .text), Column("longitude", .double),
        Column("latitude", .double), Column("n", .bigint, required: true),
    ]
    private static let things = StreamDefinition(
        name: "things", topics: [], mode: .upsert, key: ["id"], columns: columns)
    private static let readings = StreamDefinition(name: "readings", topics: [], mode: .append, columns: columns)
    private static let partitions: Int32 = 4

    /// Each kind of filter: what is asked, and which rows that is.
    private static let filters = [
        (request: "{}", condition: "true"),
        (request: #"{"where":{"kind":["a","c"]}}"#, condition: "kind IN ('a', 'c')"),
        (request: #"{"where":{"n":{"gte":100,"lt":100000}}}"#, condition: "n >= 100 AND n < 100000"),
        (request: #"{"bbox":[-20,-10,60,40]}"#, condition: box("longitude BETWEEN -20 AND 60")),
        (request: #"{"bbox":[150,-10,-150,40]}"#, condition: box("(longitude >= 150 OR longitude <= -150)")),
        (
            request: #"{"where":{"kind":"b"},"bbox":[-180,-10,0,40]}"#,
            condition: "kind = 'b' AND " + box("longitude BETWEEN -180 AND 0")
        ),
    ]

    private static func box(_ longitudes: String) -> String { "\(longitudes) AND latitude BETWEEN -10 AND 40" }

    private static var isLarge: Bool { ProcessInfo.processInfo.environment["MILLRACE_MEASURE"] == "1" }
    private let count = isLarge ? 500 : 24
    private let rounds = isLarge ? 1000 : 40
    /// Of rounds; faults come between them.
    private let interval = 0.3

    private func record(_ n: Int, isKeyed: Bool, _ random: inout SeededGenerator) -> (key: String?, value: String?) {
        let id = isKeyed ? "k\(Int.random(in: 0..<200, using: &random))" : "r\(n)"
        if isKeyed, Int.random(in: 0..<40, using: &random) == 0 { return (id, nil) }
        let kind = ["a", "b", "c"].randomElement(using: &random)!
        let (longitude, latitude) = (
            Int.random(in: -180...180, using: &random), Int.random(in: -90...90, using: &random)
        )
        return (
            id,
            #"{"id":"\#(id)","kind":"\#(kind)","longitude":\#(longitude),"latitude":\#(latitude),"n":\#(n)}"#
        )
    }

    @Test("Clients that move from edge to edge under fire end with what Postgres holds", arguments: [readings, things])
    func churn(_ stream: StreamDefinition) throws {
        var random = SeededGenerator(seed: 17)
        let fleet = try Fleet(stream, partitions: Self.partitions)
        try fleet.launch(shards: 2)
        var edges = try (0..<3).map { try EdgeUnderTest(fleet, name: "\($0)") }
        try fleet.waitForStatus("edges") { $0.edges.count == 3 }
        let epoch = try fleet.rows("SELECT epoch FROM millrace.stream")[0]
        let requests = Self.filters.map { filter in
            stream.isKeyed ? #"{"snapshot":true,"# + filter.request.dropFirst() : filter.request
        }.map { $0.replacingOccurrences(of: ",}", with: "}") }
        let clients = try StateClients(
            stream.name,
            stream.isKeyed ? .table(key: "id") : .log(epoch: epoch, partitions: Self.partitions), requests,
            count: count, edges: edges.map(\.url), folder: fleet.folder + "/clients")
        var (sent, kills) = (0, 0)
        var due = Date.now
        for round in 0..<rounds {
            var records: [Int32: [(key: String?, value: String?)]] = [:]
            for n in sent..<(sent + 20) {
                let record = record(n, isKeyed: stream.isKeyed, &random)
                // A key's records are all in one partition.
                let lane = stream.isKeyed ? Int(record.key!.dropFirst())! : n
                records[Int32(lane % Int(Self.partitions)), default: []].append(record)
            }
            sent += 20
            try fleet.kafka.produce(records, to: fleet.topic)
            if round % 20 == 7 {
                let victim = Int.random(in: edges.indices, using: &random)
                edges.remove(at: victim).kill()
                edges.append(try EdgeUnderTest(fleet, name: "\(3 + round)"))
                try clients.setEdges(edges.map(\.url))
                kills += 1
            } else if round % 20 == 17, let victim = fleet.workerPIDs().randomElement(using: &random) {
                kill(victim, SIGKILL)
                kills += 1
            }
            due += interval
            // The pace of the load.
            Thread.sleep(until: due)
        }
        try fleet.waitForRecords(Int64(sent))
        try clients.finish(at: try fleet.rows("SELECT json_object_agg(id, next_offset) FROM millrace.source")[0])
        try fleet.wait("the clients; \(clients.states.count) are at the end; \(clients.errors)", seconds: 300) {
            !clients.isRunning
        }
        #expect(clients.errors == "" && clients.gaps == [])
        #expect(clients.states.count == count)
        let expected = try Self.filters.map { try expectation(stream, $0.condition, fleet) }
        for (number, state) in clients.states {
            let (seen, stored) = (try rows(state), expected[number % expected.count])
            #expect(seen == stored, "client \(number): \(Self.filters[number % expected.count])")
        }
        try fleet.expectProven()
        print("figure: churn of \(stream.name): \(count) clients, \(sent) records, \(kills) kills")
        try fleet.stop()
    }

    /// What clients have to have: of a table its rows, of a log their number, their sum and no fault.
    private func expectation(_ stream: StreamDefinition, _ condition: String, _ fleet: Fleet) throws -> [String] {
        if stream.isKeyed {
            return try fleet.rows("SELECT id, n FROM things WHERE NOT deleted AND \(condition)").sorted()
        }
        return try fleet.rows("SELECT count(*), coalesce(sum(n), 0), 0 FROM readings WHERE \(condition)")
    }

    private func rows(_ state: String) throws -> [String] {
        let value = try JSONSerialization.jsonObject(with: Data(state.utf8))
        if let rows = value as? [[String: Any]] { return rows.map { "\($0["id"] ?? "")|\($0["n"] ?? "")" }.sorted() }
        let seen = value as? [String: Any] ?? [:]
        return ["\(seen["rows"] ?? "")|\(seen["sum"] ?? "")|\((seen["faults"] as? [String])?.count ?? -1)"]
    }
}
