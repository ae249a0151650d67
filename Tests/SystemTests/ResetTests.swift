import Common
import CoordinatorCore
import Foundation
import TestSupport
import Testing

@Suite("Reset", .serialized, .timeLimit(.minutes(5)))
struct ResetTests {
    private static func stream(_ mode: StreamMode) -> StreamDefinition {
        StreamDefinition(
            name: "events", topics: [], mode: mode, key: mode == .append ? [] : ["k"],
            increments: mode == .increment ? ["n"] : [],
            columns: [Column("k", .text, required: true), Column("n", .bigint, required: true)])
    }

    /// A running fleet that has stored 200 records: n of 0..<100 in two partitions, in keys by turns.
    private func running(_ mode: StreamMode) throws -> Fleet {
        let fleet = try Fleet(Self.stream(mode), partitions: 2)
        try fleet.launch(shards: 1)
        for partition in Int32(0)..<2 {
            try fleet.kafka.produce(
                (0..<100).map { #"{"k":"\#(partition)-\#($0 % 5)","n":\#($0)}"# }, to: fleet.topic, partition: partition
            )
        }
        try fleet.waitForRecords(200)
        return fleet
    }

    /// Positions of the sources in force.
    private func waitForPositions(_ fleet: Fleet, _ expected: [String]) throws {
        try fleet.wait("positions \(expected)") {
            try fleet.rows(
                "SELECT next_offset FROM millrace.source WHERE retired_at IS NULL ORDER BY partition") == expected
        }
    }

    @Test("Going back in an append stream is refused, doubles when asked for, or replaces; verify still proves")
    func append() throws {
        let fleet = try running(.append)
        let dry = try fleet.done("reset", "events", "--to", "60", "--dry-run")
        #expect(dry.contains("from 100 to 60: 40 offsets are read again, from which there are 40 rows"), "\(dry)")
        let refused = try fleet.command("reset", "events", "--to", "60")
        #expect(refused.code == ExitCode.usage.rawValue && refused.errors.contains("80 offsets"), "\(refused.errors)")
        #expect(try fleet.rows("SELECT count(*) FROM millrace.source") == ["2"])

        try fleet.done("reset", "events", "--to", "60", "--replace")
        try waitForPositions(fleet, ["100", "100"])
        #expect(try fleet.rows("SELECT count(*), count(DISTINCT (k, n)) FROM events") == ["200|200"])
        for finding in try fleet.verify(deep: true) { #expect(finding.breaks == []) }

        // What the sources before have left is replaced too.
        try fleet.done("reset", "events", "--to", "earliest", "--replace")
        try waitForPositions(fleet, ["100", "100"])
        try fleet.wait("each row once") {
            try fleet.rows("SELECT count(*), count(DISTINCT (k, n)) FROM events") == ["200|200"]
        }
        for finding in try fleet.verify(deep: true) { #expect(finding.breaks == []) }

        try fleet.done("reset", "events", "--to", "90", "--again")
        try waitForPositions(fleet, ["100", "100"])
        try fleet.wait("ten rows twice in each") {
            try fleet.rows("SELECT count(*), count(DISTINCT (k, n)) FROM events") == ["220|200"]
        }
        for finding in try fleet.verify(deep: true) { #expect(finding.breaks == []) }
        #expect(try fleet.rows("SELECT count(*) FROM millrace.audit WHERE action = 'reset'") == ["3"])
    }

    @Test("Going back in an increment stream is refused unless counting twice is asked for")
    func increment() throws {
        let fleet = try running(.increment)
        #expect(try fleet.command("reset", "events", "--to", "earliest").errors.contains("added up a second time"))
        #expect(try fleet.command("reset", "events", "--to", "earliest", "--replace").code == ExitCode.usage.rawValue)
        #expect(try fleet.rows("SELECT sum(n) FROM events") == ["9900"])
        try fleet.done("reset", "events", "--to", "50", "--again")
        try fleet.wait("the sums") {
            try fleet.rows("SELECT sum(n) FROM events") == ["\(9900 + 2 * (50..<100).reduce(0, +))"]
        }
    }

    @Test("An upsert stream that is read again ends with the same rows")
    func upsert() throws {
        let fleet = try running(.upsert)
        let before = try fleet.rows("SELECT k, n FROM events ORDER BY k")
        let epoch = try fleet.rows("SELECT epoch FROM millrace.stream")
        try fleet.done("reset", "events", "--to", "earliest")
        try waitForPositions(fleet, ["100", "100"])
        #expect(try fleet.rows("SELECT k, n FROM events ORDER BY k") == before)
        #expect(
            try fleet.rows("SELECT epoch FROM millrace.stream") != epoch, "clients' positions mean nothing any more")
    }

    @Test("Going forward skips records, by time too, and says how many")
    func forward() throws {
        let fleet = try running(.append)
        fleet.signal(SIGTERM)
        _ = fleet.waitForExit()
        for partition in Int32(0)..<2 {
            try fleet.kafka.produce((0..<50).map { #"{"k":"late","n":\#($0)}"# }, to: fleet.topic, partition: partition)
        }
        #expect(
            try fleet.done("reset", "events", "--to", "2001-01-01T00:00:00Z", "--dry-run").contains("from 100 to 0"))
        #expect(
            try fleet.done("reset", "events", "--to", "2999-01-01T00:00:00Z", "--dry-run").contains(
                "50 offsets are skipped"))
        try fleet.done("reset", "events", "--to", "latest")
        try fleet.kafka.produce([#"{"k":"after","n":1}"#], to: fleet.topic)
        try fleet.launch(shards: 1)
        try waitForPositions(fleet, ["151", "150"])
        #expect(try fleet.rows("SELECT count(*) FROM events WHERE k = 'late'") == ["0"])
        #expect(try fleet.rows("SELECT count(*) FROM events WHERE k = 'after'") == ["1"])
    }
}
