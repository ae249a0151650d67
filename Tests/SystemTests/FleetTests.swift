import Common
import Foundation
import TestSupport
import Testing

@Suite("A fleet", .serialized, .timeLimit(.minutes(10)))
struct FleetTests {
    private static let events = StreamDefinition(
        name: "events", topics: [], mode: .append, columns: [Column("n", .bigint, required: true)])

    /// `{"n":0}`, `{"n":1}`, … in each partition.
    private func load(_ fleet: Fleet, _ range: Range<Int>) throws {
        let values = range.map { #"{"n":\#($0)}"# }
        for partition in 0..<fleet.partitions { try fleet.kafka.produce(values, to: fleet.topic, partition: partition) }
    }

    @Test("kill -9 of workers and of the coordinator in the middle of a load: rows exact, nobody left behind")
    func killed() throws {
        let fleet = try Fleet(Self.events, partitions: 8)
        let perPartition = 25_000
        try fleet.launch(shards: 4)
        try fleet.waitForStatus("four running") { $0.shards.filter { $0.state == "running" }.count == 4 }
        var victims = 0
        var lives = 1
        for turn in 0..<10 {
            try load(fleet, (turn * perPartition / 10)..<((turn + 1) * perPartition / 10))
            try fleet.waitForRecords(Int64(turn * perPartition / 10 * 8 + 1))
            if turn == 4 || turn == 7 {
                let orphans = fleet.workerPIDs()
                #expect(!orphans.isEmpty)
                fleet.signal(SIGKILL)
                _ = fleet.waitForExit()
                try fleet.waitForNoWorkers()
                try fleet.launch(shards: 4)
                lives += 1
                try fleet.waitForStatus("a worker after a restart") { $0.shards.contains { $0.state == "running" } }
            } else if let victim = fleet.workerPIDs().randomElement() {
                kill(victim, SIGKILL)
                victims += 1
            }
        }
        #expect(victims >= 5 && lives == 3)
        try fleet.waitForRecords(Int64(8 * perPartition))
        try fleet.expectExact(perPartition: perPartition)
        try fleet.expectProven()
        let report = try fleet.waitForStatus("healthy") { $0.healthy && $0.sources.allSatisfy { $0.lag == 0 } }
        #expect(report.sources.count == 8 && Set(report.sources.compactMap(\.shard)).count == 4)
        fleet.signal(SIGTERM)
        #expect(fleet.waitForExit() == ExitCode.success.rawValue)
        try fleet.waitForNoWorkers(seconds: 1)
    }

    @Test("Scaling 2 → 5 → 1 under load moves partitions without losing or doubling a record")
    func scaling() throws {
        let fleet = try Fleet(Self.events, partitions: 8)
        try fleet.launch(shards: 2)
        let perPartition = 6000
        for (turn, shards) in [Int32(2), 5, 1].enumerated() {
            try fleet.waitForStatus("an answer") { _ in true }
            #expect(try fleet.ask(.scale(shards: shards)) == .done)
            try load(fleet, (turn * perPartition / 3)..<((turn + 1) * perPartition / 3))
            try fleet.waitForStatus("\(shards) shards share the sources") { report in
                report.shards.count == Int(shards) && report.sources.allSatisfy { $0.shard != nil }
                    && report.shards.allSatisfy { $0.state == "running" && !$0.sources.isEmpty }
            }
        }
        try fleet.waitForRecords(Int64(8 * perPartition))
        try fleet.expectExact(perPartition: perPartition)
        try fleet.expectProven()
        #expect(try fleet.ask(.scale(shards: -1)) == .refused("shards must be 0 to 1000, not -1"))
        #expect(try fleet.ask(.stop) == .done)
        #expect(fleet.waitForExit() == ExitCode.success.rawValue)
    }

    @Test("A worker that hangs is replaced, and what it does when it wakes changes nothing")
    func stalled() throws {
        let fleet = try Fleet(Self.events, partitions: 4)
        try fleet.launch(shards: 2)
        try load(fleet, 0..<1000)
        try fleet.waitForRecords(4000)
        let victim = try #require(fleet.workerPIDs().first)
        kill(victim, SIGSTOP)
        try load(fleet, 1000..<2000)
        try fleet.waitForRecords(8000, seconds: 60)
        kill(victim, SIGCONT)
        try fleet.expectExact(perPartition: 2000)
        try fleet.waitForStatus("two running") { $0.shards.allSatisfy { $0.state == "running" } }
        fleet.signal(SIGINT)
        #expect(fleet.waitForExit() == ExitCode.success.rawValue)
    }

    @Test("A partition that is added while the fleet runs is found and read from its beginning")
    func newPartition() throws {
        let fleet = try Fleet(Self.events, partitions: 1)
        try fleet.launch(shards: 1)
        try load(fleet, 0..<100)
        try fleet.waitForRecords(100)
        try fleet.kafka.alter(fleet.topic, partitions: 2)
        try fleet.kafka.produce((0..<100).map { #"{"n":\#($0)}"# }, to: fleet.topic, partition: 1)
        try fleet.waitForRecords(200)
        fleet.signal(SIGTERM)
        #expect(fleet.waitForExit() == ExitCode.success.rawValue)
    }

    @Test("A second coordinator is told who holds the folder, or the schema")
    func twice() throws {
        let fleet = try Fleet(Self.events, partitions: 1)
        try fleet.launch(shards: 1)
        try fleet.waitForStatus("running") { $0.shards.allSatisfy { $0.state == "running" } }
        let second = try fleet.launchFailing()
        #expect(
            second.code == ExitCode.unavailable.rawValue && second.text.contains("pid \(fleet.pid)"), "\(second.text)")
        let elsewhere = try Fleet(Self.events, partitions: 1, sharing: fleet)
        let third = try elsewhere.launchFailing()
        #expect(
            third.code == ExitCode.unavailable.rawValue && third.text.contains("in use by another fleet"),
            "\(third.text)")
    }

    @Test("A start that can't be is one clear message and an exit code")
    func badStarts() throws {
        let fleet = try Fleet(Self.events, partitions: 1)
        let good = fleet.postgres
        fleet.postgres["user"] = "nobody"
        var result = try fleet.launchFailing()
        #expect(result.code == ExitCode.configuration.rawValue && result.text.contains("nobody"), "\(result.text)")
        fleet.postgres["host"] = "/nonexistent"
        result = try fleet.launchFailing()
        #expect(result.code == ExitCode.unavailable.rawValue && result.text.contains("/nonexistent"), "\(result.text)")
        fleet.postgres = good
        fleet.kafkaConfiguration = ["bootstrap.servers": "127.0.0.1:1"]
        result = try fleet.launchFailing()
        #expect(result.code == ExitCode.unavailable.rawValue && result.text.contains("127.0.0.1:1"), "\(result.text)")
        #expect(result.text.split(separator: "\n").count == 1, "\(result.text)")
    }
}
