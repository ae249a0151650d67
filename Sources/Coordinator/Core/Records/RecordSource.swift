/// Where records come from, one after another. Owned by one thread.
protocol RecordSource: AnyObject {
    /// Hands the next record to `take`, whose bytes live as long as that call.
    /// - Throws: what is wrong with a line, after which the next call goes on behind it; or that nothing more can be read.
    func next(_ take: (OutgoingRecord) throws -> Void) throws -> RecordSourceStep

    /// How much of it has been read, in bytes of all that there are; nil where that is not known.
    var progress: (read: Int64, size: Int64)? { get }
}

enum RecordSourceStep {
    /// A record was handed over.
    case record
    /// Nothing is there yet: there is more when this descriptor is readable.
    case waiting(Int32)
    case end
}

/// A record on its way into a topic. Borrowed from its source.
struct OutgoingRecord {
    let topic: String
    let key: UnsafeRawBufferPointer?
    let value: UnsafeRawBufferPointer
}

/// A line of a file that is no record.
struct BadLine: Error, Equatable {
    /// From 1; of a record of several lines the first.
    let line: Int64
    let reason: String
}
