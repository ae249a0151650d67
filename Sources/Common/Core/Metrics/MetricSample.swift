/// A value of a metric with its labels, in the order in which they are written.
package struct MetricSample: Sendable {
    package enum Value: Sendable {
        case number(Double)
        /// - Parameter perUnit: how many of what the histogram counts make one of the metric's unit.
        case histogram(Histogram, perUnit: Double)
    }

    package var labels: [(name: String, value: String)]
    package var value: Value

    package init(_ value: Value, _ labels: [(name: String, value: String)] = []) {
        self.labels = labels
        self.value = value
    }

    package init(_ number: Double, _ labels: [(name: String, value: String)] = []) {
        self.init(.number(number), labels)
    }

    package init(_ number: some BinaryInteger, _ labels: [(name: String, value: String)] = []) {
        self.init(.number(Double(number)), labels)
    }
}
