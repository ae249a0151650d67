import BenchmarkSupport
import Foundation
import TestSupport

/// Contestants that take turns: in each round each of them runs once, and what is compared is compared within a round.
struct Scenario {
    struct Ratio {
        var name: String
        var atLeast: Double?
        var atMost: Double?
        /// Of what a round's contestants measured.
        var of: ([String: Measured]) -> Double
    }

    var name: String
    var title: String
    var unit = "rows/s"
    var axis: String?
    var load: () -> Load
    /// Looked for when it runs.
    var contestants: () -> [Contestant]
    var ratios: [Ratio] = []
    /// Before the first round.
    var preparation: (Arena) throws -> Void = { _ in }
    /// Whether a round goes before that does not count.
    var hasWarmUp = true

    static var all: [Scenario] {
        [
            throughput, fence, distance, upsert, increment, settings, shards, partitions, streams, sizes, rows, hosts,
            latency,
            fanOut(rate: 100), fanOut(rate: 1000), peers, kills,
        ]
    }

    /// With some of its contestants: to look at one of them.
    func only(_ names: [String]) -> Scenario {
        var some = self
        some.contestants = { [contestants] in contestants().filter { names.contains($0.name) } }
        some.ratios = []
        return some
    }

    /// - Parameter rounds: behind one that is not counted.
    func run(rounds: Int) throws -> Report {
        let contestants = contestants()
        guard !contestants.isEmpty else { throw ShellFailure(command: "bench \(name)", output: "nobody of that name") }
        var report = Report(
            scenario: name, title: title, unit: unit, axis: axis, date: Date.now.formatted(.iso8601),
            machine: try Self.machine(), versions: try Self.versions(),
            command: (["make bench SCENARIOS=\(name) ROUNDS=\(rounds)"] + Self.variables()).joined(separator: " "),
            series: contestants.map { Report.Series(name: $0.name, x: $0.x) },
            ratios: ratios.map { Report.Ratio(name: $0.name, atLeast: $0.atLeast, atMost: $0.atMost) })
        let arena = try Arena(load())
        try preparation(arena)
        for round in (hasWarmUp ? 0 : 1)...rounds {
            var values: [String: Measured] = [:]
            // In an order of the round's own, so that nobody always comes behind the same one.
            var random = SeededGenerator(seed: UInt64(round))
            for place in contestants.indices.shuffled(using: &random) {
                let measured = try contestants[place].run(arena)
                values[contestants[place].name] = measured
                say("\(round == 0 ? "warm" : "\(round)"): \(contestants[place].name) \(text(measured))")
                if round > 0 { report.series[place].runs.append(measured) }
            }
            guard round > 0 else { continue }
            for (place, ratio) in ratios.enumerated() { report.ratios[place].values.append(ratio.of(values)) }
        }
        for ratio in report.ratios {
            let goals = [ratio.atLeast.map { "at least \($0)" }, ratio.atMost.map { "at most \($0)" }].compactMap { $0 }
            let verdict =
                goals.isEmpty ? "" : " (\(goals.joined(separator: ", ")): \(ratio.holds ? "holds" : "DOES NOT HOLD"))"
            say("\(ratio.name): \(String(format: "%.2f", ratio.median))\(verdict)")
        }
        return report
    }

    private func text(_ measured: Measured) -> String {
        let spent = measured.processor.sorted { $0.value > $1.value }.map { "\($0.key) \($0.value)" }
        let figures = measured.figures.sorted { $0.key < $1.key }.map { "; \($0.key) \($0.value)" }
        let value = String(format: measured.value < 100 ? "%.2f" : "%.0f", measured.value)
        return "\(value) \(unit)\(figures.joined()); CPU s per million: \(spent.joined(separator: ", "))"
    }

    /// Others of the environment's that say what is measured.
    private static func variables() -> [String] {
        let environment = ProcessInfo.processInfo.environment
        return ["RECORDS", "PARTITIONS", "PEER_SECONDS"].compactMap { name in environment[name].map { "\(name)=\($0)" }
        }
    }

    private static func machine() throws -> String {
        let model = try shell("sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | sort -u | head -1")
        let memory = ProcessInfo.processInfo.physicalMemory >> 30
        return "\(ProcessInfo.processInfo.activeProcessorCount) cores (\(model)), \(memory) GiB"
    }

    private static func versions() throws -> String {
        let package = "dpkg-query -W -f='${Version}'"
        let postgres = try shell("\(package) postgresql | sed 's/+.*//'")
        let kafka = try shell("\(package) librdkafka1")
        let commit = try shell("git rev-parse --short HEAD 2>/dev/null || echo unknown")
        // Results and what is drawn and written of them are no part of what is measured.
        let changes = try shell(
            "git status --porcelain -- . ':!Benchmarks/results' ':!docs' ':!*.md' 2>/dev/null || true")
        let state = changes.isEmpty ? "" : " with changes"
        return "Millrace \(commit)\(state), PostgreSQL \(postgres), librdkafka \(kafka), Apache Kafka 4.3.1"
    }
}
