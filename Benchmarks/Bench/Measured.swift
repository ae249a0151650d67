/// One run of one contestant.
struct Measured: Codable {
    /// In the unit of its scenario.
    var value: Double
    /// Processor seconds per million records, by who spent them.
    var processor: [String: Double] = [:]
    /// Whatever else was seen.
    var figures: [String: Double] = [:]
}
