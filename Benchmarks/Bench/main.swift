// What Millrace does beside others, as ratios of the same run.
//
//     bench [SCENARIO…]      all of them, or some; ROUNDS (5), RECORDS (1000000), PARTITIONS (8) from the environment
//     ONLY='Millrace;flink, tuned' bench peers   some of its contestants, and nothing is kept
//     bench --plot           draws what was measured last
//
// Results go to Benchmarks/results, plots to docs/plots.
import BenchmarkSupport
import Foundation

/// At once, for who watches.
func say(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }

setenv("MILLRACE_TEST_FSYNC", "on", 1)
let results = URL(filePath: "Benchmarks/results")
let words = CommandLine.arguments.dropFirst()
if words == ["--plot"] {
    try Plot.drawAll(from: results, to: URL(filePath: "docs/plots"))
    exit(0)
}
let wanted = words.isEmpty ? Scenario.all : Scenario.all.filter { words.contains($0.name) }
let unknown = words.filter { word in !Scenario.all.contains { $0.name == word } }
guard unknown.isEmpty else {
    say("bench: there is no scenario \(unknown.joined(separator: ", ")); there are:")
    for scenario in Scenario.all { say("  \(scenario.name): \(scenario.title)") }
    exit(64)
}
let rounds = Benchmark.setting("ROUNDS", 5)
guard rounds > 0 else {
    say("bench: ROUNDS has to be 1 or more")
    exit(64)
}
var isAsMeant = true
for scenario in wanted {
    say("\(scenario.name): \(scenario.title)")
    if let names = ProcessInfo.processInfo.environment["ONLY"], !names.isEmpty {
        _ = try scenario.only(names.components(separatedBy: ";")).run(rounds: rounds)
    } else {
        let report = try scenario.run(rounds: rounds)
        try report.write(to: results)
        isAsMeant = isAsMeant && report.ratios.allSatisfy(\.holds)
    }
}
exit(isAsMeant ? 0 : 1)
