import Foundation

/// Which seeds are run, from the environment.
enum FaultSettings {
    /// Further seeds begin until so many minutes have passed.
    static let minutes = setting("MILLRACE_MINUTES") ?? 0

    /// The seeds that are run in any case: by default one for each mode.
    static var seeds: ClosedRange<UInt64> {
        if let seed = setting("MILLRACE_SEED") { return UInt64(seed)...UInt64(seed) }
        let count = setting("MILLRACE_SEEDS") ?? (minutes > 0 ? 1 : 3)
        return 0...UInt64(max(1, count) - 1)
    }

    private static func setting(_ name: String) -> Int? {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
    }
}
