/// One metric of a process: its name, what it means, and where a snapshot has its values.
package struct MetricFamily<Snapshot>: Sendable {
    package typealias Sample = MetricSample

    package enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    package let name: String
    package let kind: Kind
    package let help: String
    package let samples: @Sendable (Snapshot) -> [Sample]

    package init(_ name: String, _ kind: Kind, _ help: String, samples: @escaping @Sendable (Snapshot) -> [Sample]) {
        self.name = name
        self.kind = kind
        self.help = help
        self.samples = samples
    }

    /// The names of the series that it writes.
    package var seriesNames: [String] {
        kind == .histogram ? ["_bucket", "_sum", "_count"].map { name + $0 } : [name]
    }
}
