/// The text exposition format 0.0.4 of Prometheus: metrics and a snapshot in, lines out.
///
/// https://prometheus.io/docs/instrumenting/exposition_formats/
package struct PrometheusText {
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    package let text: String

    /// A metric without a value, of a shard that has not been heard of for instance, is left out.
    package init<Snapshot>(_ snapshot: Snapshot, _ families: [MetricFamily<Snapshot>]) {
        var text = ""
        for family in families {
            let samples = family.samples(snapshot)
            guard !samples.isEmpty else { continue }
            text += "# HELP \(family.name) \(Self.escaped(family.help))\n# TYPE \(family.name) \(family.kind)\n"
            for sample in samples {
                switch sample.value {
                case .number(let number): Self.add(family.name, sample.labels, number, to: &text)
                case .histogram(let histogram, let perUnit):
                    Self.add(family.name, sample.labels, histogram, perUnit, to: &text)
                }
            }
        }
        self.text = text
    }

    private static func add(
        _ name: String, _ labels: [(name: String, value: String)], _ number: Double, to text: inout String
    ) {
        text += name
        if !labels.isEmpty {
            text +=
                "{" + labels.map { "\($0.name)=\"\(escaped($0.value, quotes: true))\"" }.joined(separator: ",") + "}"
        }
        text += " \(written(number))\n"
    }

    /// Each bucket counts all that are at most its bound.
    private static func add(
        _ name: String, _ labels: [(name: String, value: String)], _ histogram: Histogram, _ perUnit: Double,
        to text: inout String
    ) {
        var below = 0.0
        for (index, count) in histogram.counts.enumerated() {
            below += count
            let bound = index < Histogram.bounds.count ? written(Histogram.bounds[index] / perUnit) : "+Inf"
            add(name + "_bucket", labels + [("le", bound)], below, to: &text)
        }
        add(name + "_sum", labels, histogram.sum / perUnit, to: &text)
        add(name + "_count", labels, below, to: &text)
    }

    /// Whole numbers without a fraction, so that they read as what they count.
    private static func written(_ number: Double) -> String {
        if let whole = Int64(exactly: number) { return String(whole) }
        if number.isNaN { return "NaN" }
        return number.isInfinite ? (number < 0 ? "-Inf" : "+Inf") : "\(number)"
    }

    private static func escaped(_ text: String, quotes: Bool = false) -> String {
        var escaped = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}
