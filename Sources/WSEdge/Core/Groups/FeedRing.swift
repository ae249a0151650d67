package import Common

/// The newest messages of a stream, for all its subscribers at once: nobody has a queue of their own.
package struct FeedRing: Sendable {
    private var batches: [FeedBatch] = []
    /// Those before it in `batches` have been dropped.
    private var head = 0
    private var byteCount = 0
    private let byteLimit: Int
    /// The number of the oldest message.
    package private(set) var first: UInt64 = 0
    /// Where the stream is behind the newest message.
    package private(set) var position: [SourceID: Int64]

    /// - Parameter byteLimit: the oldest are dropped beyond it; the newest stays.
    package init(from position: [SourceID: Int64], byteLimit: Int = 16 * 1024 * 1024) {
        self.position = position
        self.byteLimit = byteLimit
    }

    /// The number that the next message gets.
    package var next: UInt64 { first + UInt64(batches.count - head) }

    package mutating func append(_ batch: FeedBatch) {
        batches.append(batch)
        byteCount += batch.frames.bytes.count
        position.merge(batch.position) { $1 }
        while byteCount > byteLimit, batches.count - head > 1 {
            byteCount -= batches[head].frames.bytes.count
            head += 1
            first += 1
        }
        if head > batches.count / 2 {
            batches.removeFirst(head)
            head = 0
        }
    }

    /// Moves on without a message.
    mutating func skip(to position: [SourceID: Int64]) { self.position.merge(position) { $1 } }

    /// - Precondition: `first <= number < next`.
    package subscript(number: UInt64) -> FeedBatch { batches[head + Int(number - first)] }
}
