/// A scrape, read strictly: what the text format 0.0.4 allows but Millrace never writes is an error, too.
package struct PrometheusScrape: Sendable {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    package struct Series: Hashable, Sendable {
        package var name: String
        package var labels: [String: String]
    }

    package private(set) var values: [Series: Double] = [:]
    /// Counter, gauge or histogram by name.
    package private(set) var types: [String: String] = [:]

    package init(_ text: String) throws(Failure) {
        guard text.hasSuffix("\n") else { throw Failure(description: "the last line does not end") }
        var helped: String?
        var family: String?
        for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
            func fail(_ what: String) -> Failure { Failure(description: "\(what): '\(line)'") }
            if line.hasPrefix("# ") {
                let words = line.split(separator: " ", maxSplits: 3)
                guard words.count == 4 else { throw fail("a comment") }
                let name = String(words[2])
                switch words[1] {
                case "HELP":
                    guard types[name] == nil, helped == nil else { throw fail("HELP out of order") }
                    helped = name
                case "TYPE":
                    guard helped == name, ["counter", "gauge", "histogram"].contains(words[3]) else {
                        throw fail("TYPE out of order, or unknown")
                    }
                    helped = nil
                    family = name
                    types[name] = String(words[3])
                default: throw fail("a comment")
                }
                continue
            }
            guard helped == nil, let family else { throw fail("a value without a type") }
            var reader = PrometheusLine(line)
            guard let (series, value) = reader.read() else { throw fail("no value with labels") }
            let suffixes = types[family] == "histogram" ? ["_bucket", "_sum", "_count"] : [""]
            guard suffixes.contains(where: { family + $0 == series.name }) else { throw fail("not of \(family)") }
            guard values.updateValue(value, forKey: series) == nil else { throw fail("twice") }
            guard types[family] == "gauge" || value >= 0 else { throw fail("negative") }
        }
        guard helped == nil else { throw Failure(description: "HELP without TYPE") }
        for (name, type) in types { try check(name, type) }
    }

    /// The value of the only series of a name that has all these labels; nil when there is none.
    package func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        let found = values.filter { series, _ in
            series.name == name && labels.allSatisfy { series.labels[$0.key] == $0.value }
        }
        precondition(found.count <= 1, "\(name) \(labels) is more than one series")
        return found.first?.value
    }

    private func check(_ name: String, _ type: String) throws(Failure) {
        func fail(_ what: String) -> Failure { Failure(description: "\(name): \(what)") }
        guard (type == "counter") == name.hasSuffix("_total") else { throw fail("only counters end in _total") }
        guard type == "histogram" else { return }
        var buckets: [[String: String]: [(bound: Double, count: Double)]] = [:]
        for (series, value) in values where series.name == name + "_bucket" {
            guard let text = series.labels["le"], let bound = PrometheusLine.number(text) else { throw fail("no le") }
            buckets[series.labels.filter { $0.key != "le" }, default: []].append((bound, value))
        }
        for (labels, unsorted) in buckets {
            let sorted = unsorted.sorted { $0.bound < $1.bound }
            guard zip(sorted, sorted.dropFirst()).allSatisfy({ $0.count <= $1.count }) else { throw fail("falls") }
            let count = values[Series(name: name + "_count", labels: labels)]
            guard sorted.last?.bound == .infinity, sorted.last?.count == count else {
                throw fail("no +Inf, or not all")
            }
            guard values[Series(name: name + "_sum", labels: labels)] != nil else { throw fail("no sum") }
        }
    }
}
