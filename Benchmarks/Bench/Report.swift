import BenchmarkSupport
import Foundation

/// What a scenario's run gave: kept as data, drawn by `Plot`.
struct Report: Codable {
    struct Series: Codable {
        var name: String
        var x: Double?
        var runs: [Measured] = []

        var median: Double { Benchmark.median(runs.map(\.value)) }
    }

    struct Ratio: Codable {
        var name: String
        /// What it should be.
        var atLeast: Double?
        var atMost: Double?
        /// One a round.
        var values: [Double] = []

        var median: Double { Benchmark.median(values) }

        var holds: Bool { (atLeast.map { median >= $0 } ?? true) && (atMost.map { median <= $0 } ?? true) }
    }

    var scenario: String
    var title: String
    var unit: String
    /// What `x` is of series that have one.
    var axis: String?
    var date: String
    var machine: String
    var versions: String
    var command: String
    var series: [Series]
    var ratios: [Ratio]

    func write(to folder: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try encoder.encode(self).write(to: folder.appending(path: "\(scenario).json"))
    }
}
