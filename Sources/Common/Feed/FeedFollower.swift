package import Common

/// Puts a stream's feed together: each committed row once, in the order of its source, whatever of the feed was
/// dropped, came late, came twice, or was never published.
///
/// A pure value: what it misses is in `repairs`, and its owner reads that from Postgres and answers with `repair`.
package struct FeedFollower: Sendable {
    /// What came behind a missing span and waits until that has been read. It follows the span without a hole.
    private struct Waiting {
        /// The end of what is missing.
        var missingTo: Int64
        /// The end of what came after it.
        var end: Int64
        var rows: [FeedMessage.Row] = []
        var byteCount = 0

        init(missingTo: Int64) {
            self.missingTo = missingTo
            end = missingTo
        }
    }

    /// The next offset of each source; a source that isn't in it begins with its first record.
    package private(set) var position: [SourceID: Int64]
    /// How often something was missing.
    package private(set) var repairCount = 0
    private var waiting: [SourceID: Waiting] = [:]
    private var waitingByteCount = 0
    private let waitingByteLimit: Int

    /// - Parameter waitingByteLimit: of the rows that are kept while what is before them is read; rows beyond it are
    ///   dropped, and read too.
    package init(from position: [SourceID: Int64], waitingByteLimit: Int = 64 * 1024 * 1024) {
        self.position = position
        self.waitingByteLimit = waitingByteLimit
    }

    /// What is committed and has to be read from the stream's table, by source.
    package var repairs: [FeedMessage.Span] {
        waiting.map { .init(source: $0, from: position[$0] ?? 0, to: $1.missingTo) }.sorted { $0.source < $1.source }
    }

    /// Takes what a worker published, or heads that were read from the database.
    package mutating func receive(_ message: FeedMessage) -> FeedDelivery {
        var delivery = FeedDelivery()
        let rows = Dictionary(grouping: message.rows, by: \.source)
        for span in message.spans {
            if waiting[span.source] != nil {
                keep(span, rows[span.source] ?? [])
                continue
            }
            let next = position[span.source] ?? 0
            guard span.to > next else { continue }
            if span.from > next {
                repairCount += 1
                waiting[span.source] = Waiting(missingTo: span.from)
                keep(span, rows[span.source] ?? [])
            } else {
                delivery.rows += (rows[span.source] ?? []).filter { $0.offset >= next }
                advance(span.source, to: span.to, &delivery)
            }
        }
        return delivery
    }

    /// Takes what was read of a source: all that is stored from its position up to `replayed.end`.
    package mutating func repair(_ source: SourceID, _ replayed: ReplayedRows) -> FeedDelivery {
        var delivery = FeedDelivery()
        guard var entry = waiting[source] else { return delivery }
        let next = position[source] ?? replayed.start
        if next < replayed.retainedFrom, next < replayed.end {
            delivery.lost = [.init(source: source, from: next, to: min(replayed.retainedFrom, replayed.end))]
        }
        delivery.isRead = true
        delivery.rows = replayed.rows
        advance(source, to: replayed.end, &delivery)
        guard replayed.end >= entry.missingTo else { return delivery }
        delivery.rows += entry.rows
        advance(source, to: max(entry.end, replayed.end), &delivery)
        drop(&entry)
        waiting[source] = nil
        return delivery
    }

    private mutating func advance(_ source: SourceID, to next: Int64, _ delivery: inout FeedDelivery) {
        position[source] = next
        delivery.position[source] = next
    }

    private mutating func keep(_ span: FeedMessage.Span, _ rows: [FeedMessage.Row]) {
        guard var entry = waiting[span.source], span.to > entry.end else { return }
        let new = rows.filter { $0.offset >= entry.end }
        let byteCount = new.reduce(0) { $0 + $1.json.count + MemoryLayout<FeedMessage.Row>.stride }
        if span.from <= entry.end, waitingByteCount + byteCount <= waitingByteLimit {
            entry.rows += new
            entry.byteCount += byteCount
            waitingByteCount += byteCount
            entry.end = span.to
        } else {
            drop(&entry)
            entry = Waiting(missingTo: span.to)
        }
        waiting[span.source] = entry
    }

    private mutating func drop(_ entry: inout Waiting) {
        waitingByteCount -= entry.byteCount
        entry.rows = []
        entry.byteCount = 0
    }
}
