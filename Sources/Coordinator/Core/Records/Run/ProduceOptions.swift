/// What `coordinator produce` is asked for.
package struct ProduceOptions: Sendable {
    package enum Format: String, Sendable, CaseIterable {
        case ndjson, csv
    }

    /// Names of streams; empty for all that can be made up.
    package var streams: [String] = []
    /// Records a second; nil: as fast as it goes.
    package var rate: Int?
    /// Records in all; nil: until it is told to stop, or the file ends.
    package var count: Int64?
    /// `-` is standard input; nil: records are made up.
    package var file: String?
    /// Nil: by the file's name.
    package var format: Format?
    /// From columns to the file's fields.
    package var map: [String: String] = [:]
    package var seed: UInt64 = 1
    package var hasFaults = false
    /// Seconds by which the made-up city's clocks are ahead of UTC.
    package var utcOffset = 0
    /// Skip lines that are no records, rather than stop.
    package var keepsGoing = false
    package var isJSON = false

    package init() {}
}
