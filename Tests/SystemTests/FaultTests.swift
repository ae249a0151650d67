import Common
import Foundation
import TestSupport
import Testing

/// Random faults with a seed. `make soak SEEDS=20` runs many; a seed that fails is run again by `SEED=n`.
@Suite("Under faults", .serialized, .timeLimit(.minutes(60)))
struct FaultTests {
    private static func setting(_ name: String) -> Int? {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
    }

    private static var seeds: [UInt64] {
        if let seed = setting("MILLRACE_SEED") { return [UInt64(seed)] }
        return (0..<UInt64(setting("MILLRACE_SEEDS") ?? 2)).map { $0 }
    }

    @Test("Rows are exact, dead letters are the poison, nobody is left behind", arguments: seeds)
    func seeded(seed: UInt64) throws {
        let run = try FaultRun(seed: seed, kafka: TestKafka(), server: TestPostgres())
        try run.run(faults: 10)
        print("seed \(seed): \(run.summary)")
    }
}
