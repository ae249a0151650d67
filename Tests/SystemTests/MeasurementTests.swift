import Common
import Foundation
import TestSupport
import Testing

/// What a fleet does while it changes, with figures. Small in every run of the tests; `make measure` makes it large.
@Suite("Measured", .serialized, .timeLimit(.minutes(20)))
struct MeasurementTests {
    private static let events = StreamDefinition(
        name: "events", topics: [], mode: .append, columns: [Column("n", .bigint, required: true)])

    private static var isLarge: Bool { ProcessInfo.processInfo.environment["MILLRACE_MEASURE"] == "1" }

    private func milliseconds(_ value: Double) -> String { String(format: "%.0f ms", value) }

    private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    private func owners(_ report: StatusReport) -> [SourceID: Int32] {
        Dictionary(uniqueKeysWithValues: report.sources.compactMap { source in source.shard.map { (source.id, $0) } })
    }

    /// The fewest sources that have to move so that `shards` share evenly what is now as in `before`.
    private func fewestMoves(_ before: [SourceID: Int32], shards: Int32) -> Int {
        let held = (0..<shards).map { shard in before.values.count { $0 == shard } }.sorted(by: >)
        let (share, rest) = before.count.quotientAndRemainder(dividingBy: Int(shards))
        let kept = held.enumerated().reduce(0) { $0 + min($1.element, $1.offset < rest ? share + 1 : share) }
        return before.count - kept
    }

    @Test("Scaling 2 → 8 → 3 under load moves the fewest partitions, stalls no other, and rows are exact")
    func scaling() throws {
        let partitions: Int32 = 16
        let fleet = try Fleet(Self.events, partitions: partitions)
        try fleet.launch(shards: 2)
        func settled(_ shards: Int32) throws -> StatusReport {
            try fleet.waitForStatus("\(shards) shards share \(partitions) sources") { report in
                let counts = report.shards.map(\.sources.count)
                return report.shards.count == Int(shards) && report.shards.allSatisfy { $0.state == "running" }
                    && report.sources.allSatisfy { $0.shard != nil && $0.nextOffset != nil }
                    && counts.max()! - counts.min()! <= 1
            }
        }
        var report = try settled(2)
        let load = LoadGenerator(fleet.kafka, topic: fleet.topic, partitions: partitions, rate: 100)
        let watch = CommitWatch("events", folder: fleet.feedFolder)
        try fleet.wait("commits of every source") { watch.commits.count == Int(partitions) }
        for shards in [Int32(8), 3] {
            let before = owners(report)
            let from = watch.commits.mapValues(\.count)
            #expect(try fleet.ask(.scale(shards: shards)) == .done)
            report = try settled(shards)
            // Every source goes on in its new place before the stalls are looked at.
            let counts = watch.commits.mapValues(\.count)
            try fleet.wait("commits after the move") {
                watch.commits.allSatisfy { $0.value.count > counts[$0.key]! + 5 }
            }
            let after = owners(report)
            let moved = Set(after.filter { before[$0.key] != $0.value }.keys)
            #expect(moved.count == fewestMoves(before, shards: shards))
            var stalls: [SourceID: Double] = [:]
            for (source, commits) in watch.commits {
                let times = commits.dropFirst(max(0, from[source]! - 1)).map(\.at).sorted()
                stalls[source] = zip(times, times.dropFirst()).map { Double($1 - $0) / 1000 }.max()
            }
            let others = stalls.filter { !moved.contains($0.key) }.values.max() ?? 0
            print(
                "figure: to \(shards) shards: \(moved.count) of \(partitions) moved, the fewest possible "
                    + "\(fewestMoves(before, shards: shards)); longest stall of a moved partition "
                    + "\(milliseconds(stalls.filter { moved.contains($0.key) }.values.max() ?? 0)), of the others "
                    + milliseconds(others))
        }
        watch.stop()
        let perPartition = try load.stop()
        try fleet.waitForRecords(Int64(perPartition) * Int64(partitions))
        try fleet.expectExact(perPartition: perPartition)
        try fleet.expectProven()
    }

    @Test("kill -9 of a worker under load: its partitions go on, and rows are exact")
    func killed() throws {
        let partitions: Int32 = 8
        let fleet = try Fleet(Self.events, partitions: partitions)
        try fleet.launch(shards: 4)
        try fleet.waitForStatus("healthy") { $0.healthy }
        let load = LoadGenerator(fleet.kafka, topic: fleet.topic, partitions: partitions, rate: 100)
        let watch = CommitWatch("events", folder: fleet.feedFolder)
        try fleet.wait("commits of every source") { watch.commits.count == Int(partitions) }
        var times: [Double] = []
        for turn in 0..<(Self.isLarge ? 20 : 3) {
            let report = try fleet.waitForStatus("four with sources") { report in
                report.shards.allSatisfy { $0.state == "running" && $0.sources.count == 2 }
            }
            let victim = report.shards[turn % 4]
            let moment = CommitWatch.now
            kill(victim.pid!, SIGKILL)
            var first: [Int64] = []
            try fleet.wait("its partitions go on") {
                first = victim.sources.compactMap { source in watch.commits[source]?.first { $0.at > moment + 1000 }?.at
                }
                return first.count == victim.sources.count
            }
            times.append(Double(first.max()! - moment) / 1000)
        }
        print(
            "figure: kill -9 under load, \(times.count) times: partitions advance again after "
                + "\(milliseconds(median(times))) (median), \(milliseconds(times.max()!)) (worst)")
        watch.stop()
        let perPartition = try load.stop()
        try fleet.waitForRecords(Int64(perPartition) * Int64(partitions))
        try fleet.expectExact(perPartition: perPartition)
        try fleet.expectProven()
    }

    @Test("kill -9 of the coordinator under load, started again at once: everything goes on, and rows are exact")
    func coordinatorKilled() throws {
        let partitions: Int32 = 8
        let fleet = try Fleet(Self.events, partitions: partitions)
        try fleet.launch(shards: 2)
        try fleet.waitForStatus("healthy") { $0.healthy }
        let load = LoadGenerator(fleet.kafka, topic: fleet.topic, partitions: partitions, rate: 100)
        let watch = CommitWatch("events", folder: fleet.feedFolder)
        try fleet.wait("commits of every source") { watch.commits.count == Int(partitions) }
        var gaps: [Double] = []
        for _ in 0..<(Self.isLarge ? 10 : 2) {
            let before = watch.commits.mapValues(\.count)
            let moment = CommitWatch.now
            fleet.signal(SIGKILL)
            _ = fleet.waitForExit()
            // As systemd with Restart=always and RestartSec=0 does.
            try fleet.launch(shards: 2)
            try fleet.waitForStatus("healthy") { $0.healthy }
            try fleet.wait("commits by new workers") {
                watch.commits.allSatisfy { $0.value.count > before[$0.key]! + 20 && $0.value.last!.at > moment }
            }
            let stalls = watch.commits.map { source, commits in
                let times = commits.dropFirst(max(0, before[source]! - 1)).map(\.at).sorted()
                return zip(times, times.dropFirst()).map { Double($1 - $0) / 1000 }.max() ?? 0
            }
            gaps.append(stalls.max()!)
        }
        print(
            "figure: kill -9 of the coordinator, \(gaps.count) times: longest time without a commit of a partition "
                + "\(milliseconds(median(gaps))) (median), \(milliseconds(gaps.max()!)) (worst)")
        watch.stop()
        let perPartition = try load.stop()
        try fleet.waitForRecords(Int64(perPartition) * Int64(partitions))
        try fleet.expectExact(perPartition: perPartition)
        try fleet.expectProven()
    }

    @Test("Many partitions over many shards are dealt evenly, and an idle fleet uses little")
    func many() throws {
        let (partitions, shards): (Int32, Int32) = Self.isLarge ? (200, 16) : (40, 4)
        let fleet = try Fleet(Self.events, partitions: partitions)
        let start = ContinuousClock.now
        try fleet.launch(shards: shards)
        try fleet.waitForStatus("\(shards) running") { report in
            report.shards.count == Int(shards) && report.shards.allSatisfy { $0.state == "running" }
        }
        let running = ContinuousClock.now
        let report = try fleet.waitForStatus("all assigned and reported") { report in
            report.sources.count == Int(partitions) && report.sources.allSatisfy { $0.nextOffset != nil }
        }
        let assigned = ContinuousClock.now
        let counts = report.shards.map(\.sources.count)
        #expect(counts.max()! - counts.min()! <= 1)
        let pids = report.shards.compactMap(\.pid) + [report.pid]
        func used() -> Double { pids.reduce(0) { $0 + processorSeconds($1) } }
        // An idle fleet has to be watched for a while: this is what is measured.
        func pass(_ seconds: Double) throws {
            let end = Date.now + seconds
            try fleet.wait("\(seconds) s", seconds: seconds + 10) { Date.now >= end }
        }
        try pass(Self.isLarge ? 10 : 2)
        let before = used()
        let interval = Self.isLarge ? 30.0 : 3
        try pass(interval)
        let share = (used() - before) / interval * 100
        let memory = try fleet.waitForStatus("an answer") { _ in true }.shards.map {
            Double($0.residentBytes) / 1_048_576
        }
        print(
            "figure: \(partitions) partitions over \(shards) shards: all workers running after "
                + "\(milliseconds((running - start) / .milliseconds(1))), all partitions assigned and reported "
                + "\(milliseconds((assigned - running) / .milliseconds(1))) later; idle fleet "
                + String(format: "%.1f %% of one core; memory of a worker %.0f MB (median)", share, median(memory)))
    }

    private func processorSeconds(_ pid: Int32) -> Double {
        guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return 0 }
        let fields = stat[stat.lastIndex(of: ")")!...].split(separator: " ")
        return (Double(fields[12])! + Double(fields[13])!) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}
