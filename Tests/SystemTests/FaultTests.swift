import Common
import Foundation
import TestSupport
import Testing

/// Random faults with a seed. `make soak SEEDS=20` runs many, `MINUTES=30` as many as begin in that time; a seed that
/// fails is run again by `SEED=n`.
@Suite("Under faults", .serialized, .timeLimit(.minutes(FaultSettings.minutes + 60)))
struct FaultTests {
    @Test("Rows are exact, dead letters are the poison, nobody is left behind, whatever the seed")
    func seeded() throws {
        let end = Date.now + Double(FaultSettings.minutes * 60)
        var total = FaultReport()
        var seed = FaultSettings.seeds.lowerBound
        var count = 0
        while seed <= FaultSettings.seeds.upperBound || Date.now < end {
            let run = try FaultRun(seed: seed, kafka: TestKafka(), server: TestPostgres())
            let report = run.run(faults: 10)
            print("seed \(seed): \(run.mode.rawValue), \(report)")
            #expect(report.violations == [], "seed \(seed)")
            total += report
            seed += 1
            count += 1
        }
        print("total of \(count) seeds: \(total)")
    }
}
