package import Common

/// One metric: its name, what it means, and where a snapshot has its values.
package struct MetricFamily: Sendable {
    package enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    package enum Value: Sendable {
        case number(Double)
        /// - Parameter perUnit: how many of what the histogram counts make one of the metric's unit.
        case histogram(Histogram, perUnit: Double)
    }

    /// A value with its labels, in the order in which they are written.
    package struct Sample: Sendable {
        package var labels: [(name: String, value: String)]
        package var value: Value

        package init(_ value: Value, _ labels: [(name: String, value: String)] = []) {
            self.labels = labels
            self.value = value
        }

        init(_ number: Double, _ labels: [(name: String, value: String)] = []) {
            self.init(.number(number), labels)
        }

        init(_ number: some BinaryInteger, _ labels: [(name: String, value: String)] = []) {
            self.init(.number(Double(number)), labels)
        }
    }

    package let name: String
    package let kind: Kind
    package let help: String
    package let samples: @Sendable (FleetSnapshot) -> [Sample]

    package init(
        _ name: String, _ kind: Kind, _ help: String, samples: @escaping @Sendable (FleetSnapshot) -> [Sample]
    ) {
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
