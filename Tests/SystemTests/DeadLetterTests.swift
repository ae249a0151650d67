import Common
import CoordinatorCore
import Foundation
import TestSupport
import Testing

@Suite("Dead letters", .serialized, .timeLimit(.minutes(5)))
struct DeadLetterTests {
    private static func stream(_ mode: StreamMode, max: Double?, breaker: Bool = false) -> StreamDefinition {
        StreamDefinition(
            name: "events", topics: [], mode: mode, key: mode == .append ? [] : ["k"],
            increments: mode == .append ? [] : ["n"],
            columns: [
                Column("k", .text, required: true, maxLength: max.map { _ in 5 }), Column("n", .bigint, required: true),
                Column("trace", .text, from: .header("trace")),
            ])
    }

    @Test(
        "Letters that the schema refused are replayed once it takes them, exactly once, through kills; others stay",
        arguments: [StreamMode.append, .increment])
    func replay(mode: StreamMode) throws {
        let fleet = try Fleet(Self.stream(mode, max: 5), partitions: 2)
        try fleet.launch(shards: 2)
        // Of 1,800 records 600 have a key that is too long, and 3 are no JSON.
        let values = (0..<900).map { #"{"k":"\#($0 % 3 == 0 ? "too long \($0 % 7)" : "k\($0 % 7)")","n":1}"# }
        for partition in Int32(0)..<2 { try fleet.kafka.produce(values, to: fleet.topic, partition: partition) }
        try fleet.kafka.produce(["poison", "poison", "poison"], key: "a key", to: fleet.topic, partition: 1)
        try fleet.waitForRecords(1803)
        let shown = try fleet.done("dlq", "show", "--reason", "not_json")
        #expect(shown.contains("value: poison") && shown.contains("key: a key") && shown.contains("not_json"))
        fleet.signal(SIGTERM)
        _ = fleet.waitForExit()

        fleet.stream = Self.stream(mode, max: nil)
        fleet.stream.topics = [fleet.topic]
        try fleet.launch(shards: 2)
        #expect(try fleet.done("dlq", "replay", "--stream", "events").hasPrefix("603 dead letters"))
        for _ in 0..<4 {
            if let victim = fleet.workerPIDs().randomElement() { kill(victim, SIGKILL) }
            try fleet.waitForStatus("two running") { $0.shards.filter { $0.state == "running" }.count == 2 }
        }
        try fleet.wait("all replays") {
            try fleet.rows("SELECT count(*) FROM millrace.dead_letter WHERE replay_requested_at IS NOT NULL") == ["0"]
        }
        #expect(try fleet.rows("SELECT count(*) FROM millrace.dead_letter WHERE replayed_at IS NOT NULL") == ["600"])
        #expect(
            try fleet.rows(
                "SELECT DISTINCT replay_reason ~ 'not_json' FROM millrace.dead_letter WHERE replayed_at IS NULL")
                == ["t"])
        #expect(
            try fleet.rows("SELECT \(mode == .append ? "count(*)" : "sum(n)") FROM events") == ["1800"])
        #expect(try fleet.done("dlq", "replay", "--all").hasPrefix("3 dead letters"))
        try fleet.wait("the three again") {
            try fleet.rows("SELECT count(*) FROM millrace.dead_letter WHERE replay_requested_at IS NOT NULL") == ["0"]
        }
        try fleet.expectProven()
        #expect(try fleet.done("dlq", "purge", "--reason", "not_json").contains("3 dead letters is gone"))
        let purged = try fleet.done("dlq", "list", "--reason", "not_json", "--json")
        #expect(
            try JSONDecoder().decode([DeadLetters.Letter].self, from: Data(purged.utf8)).map(\.state)
                == ["purged", "purged", "purged"])
        #expect(try fleet.rows("SELECT count(value) FROM millrace.dead_letter") == ["600"])
        try fleet.expectProven()
        fleet.signal(SIGTERM)
        #expect(fleet.waitForExit() == ExitCode.success.rawValue)
    }

    @Test("Letters are replayed by no more bytes at a time than fit into a batch, however large they are")
    func large() throws {
        let fleet = try Fleet(Self.stream(.append, max: 5), partitions: 1)
        try fleet.launch(shards: 1)
        let (count, size) = (120, 900_000)
        let text = String(repeating: "k", count: size)
        for _ in 0..<count { try fleet.kafka.produce([#"{"k":"\#(text)","n":1}"#], to: fleet.topic) }
        try fleet.waitForRecords(Int64(count))
        try fleet.stop()
        fleet.stream = Self.stream(.append, max: nil)
        fleet.stream.topics = [fleet.topic]
        try fleet.launch(shards: 1)
        try fleet.waitForStatus("running") { $0.sources.allSatisfy { $0.state == "running" } }
        try fleet.done("dlq", "replay", "--all")
        try fleet.wait("all replays") {
            try fleet.rows("SELECT count(*), min(length(k)), max(length(k)) FROM events") == [
                "\(count)|\(size)|\(size)"
            ]
        }
        // At once they would be three times their size and more: as Postgres's answer, as bytes and as rows.
        let worker = try #require(fleet.workerPIDs().first)
        let status = try String(contentsOfFile: "/proc/\(worker)/status", encoding: .utf8)
        let kilobytes = try #require(status.firstMatch(of: /VmHWM:\s+(\d+) kB/).flatMap { Int($0.1) })
        print("figure: \(count) letters of \(size) bytes were replayed with \(kilobytes / 1024) MB at most")
        #expect(kilobytes * 1024 < 2 * count * size)
        try fleet.expectProven()
        try fleet.stop()
    }

    @Test("Headers are kept with the letter, whatever their bytes, and a replay has them again")
    func headers() throws {
        let fleet = try Fleet(Self.stream(.append, max: 5), partitions: 1)
        try fleet.kafka.produce(
            Array(#"{"k":"too long","n":1}"#.utf8),
            headers: [
                ("trace", Array("täglich".utf8)), ("raw", [0, 0xFF]), ("none", nil), ("trace", Array("last".utf8)),
            ],
            to: fleet.topic)
        try fleet.launch(shards: 1)
        try fleet.waitForRecords(1)
        #expect(
            try fleet.rows("SELECT headers FROM millrace.dead_letter")
                == [#"[["trace", "täglich"], ["raw", {"hex": "00ff"}], ["none", null], ["trace", "last"]]"#])
        fleet.signal(SIGTERM)
        _ = fleet.waitForExit()
        fleet.stream = Self.stream(.append, max: nil)
        fleet.stream.topics = [fleet.topic]
        try fleet.launch(shards: 1)
        try fleet.done("dlq", "replay", "--all")
        try fleet.wait("the replay") { try fleet.rows("SELECT k, n, trace FROM events") == ["too long|1|last"] }
    }

    @Test("A stream of mostly dead letters stops for all shards, says why, and goes on when it is told to")
    func breaker() throws {
        let fleet = try Fleet(Self.stream(.append, max: nil), partitions: 4)
        try fleet.launch(shards: 2)
        let bad = (0..<3000).map { #"{"k":\#($0)}"# }
        for partition in Int32(0)..<4 { try fleet.kafka.produce(bad, to: fleet.topic, partition: partition) }
        let report = try fleet.waitForStatus("paused, and given back") { report in
            report.sources.allSatisfy { $0.state == "paused" && $0.shard == nil }
        }
        #expect(!report.healthy && report.problems.contains { $0.contains("were dead letters") }, "\(report.problems)")
        #expect(report.shards.allSatisfy { $0.restarts == 0 })
        let before = try fleet.stored()
        try fleet.kafka.produce([#"{"k":"good","n":1}"#], to: fleet.topic)
        // A restart changes nothing about it.
        fleet.signal(SIGTERM)
        _ = fleet.waitForExit()
        try fleet.launch(shards: 2)
        try fleet.waitForStatus("still paused") { report in
            report.shards.allSatisfy { $0.state == "running" } && report.sources.allSatisfy { $0.state == "paused" }
        }
        #expect(try fleet.stored() == before)
        try fleet.done("resume", "events")
        try fleet.wait("everything, resumed as often as it takes", seconds: 120) {
            if try fleet.stored() >= 12_001 { return true }
            if try fleet.status()?.sources.contains(where: { $0.state == "paused" }) == true {
                try fleet.done("resume", "events")
            }
            return false
        }
        try fleet.expectProven()
    }
}
