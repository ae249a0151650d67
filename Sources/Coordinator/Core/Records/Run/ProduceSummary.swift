/// What a run of `coordinator produce` has come to.
package struct ProduceSummary: Encodable, Equatable {
    /// Records that were handed to Kafka's client.
    package var records: Int64 = 0
    /// Of these, those that Kafka has on all replicas that it wants.
    package var acknowledged: Int64 = 0
    /// Given up: refused, or not acknowledged in time.
    package var failed: Int64 = 0
    /// Lines of the file that are no records.
    package var skipped: Int64 = 0
    package var seconds = 0.0
    /// Acknowledged records a second.
    package var rate: Double { seconds > 0 ? acknowledged == 0 ? 0 : Double(acknowledged) / seconds : 0 }
    /// Why the first was not acknowledged, or what was wrong with the line that ended the run.
    package var error: String?

    package init() {}

    private enum CodingKeys: String, CodingKey {
        case records, acknowledged, failed, skipped, seconds, rate, error
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(records, forKey: .records)
        try values.encode(acknowledged, forKey: .acknowledged)
        try values.encode(failed, forKey: .failed)
        try values.encode(skipped, forKey: .skipped)
        try values.encode(ProduceProgress.rounded(seconds, digits: 3), forKey: .seconds)
        try values.encode(ProduceProgress.rounded(rate, digits: 1), forKey: .rate)
        try values.encode(error, forKey: .error)
    }

    /// For a person.
    package var line: String {
        var text = "\(acknowledged) record\(acknowledged == 1 ? "" : "s") acknowledged in "
        text += "\(ProduceProgress.rounded(seconds, digits: 1)) s, \(Int64(rate.rounded())) a second"
        if skipped > 0 { text += "; \(skipped) line\(skipped == 1 ? "" : "s") skipped" }
        if acknowledged < records { text += "; \(records - acknowledged) NOT acknowledged" }
        if let error { text += ": \(error)" }
        return text
    }
}
