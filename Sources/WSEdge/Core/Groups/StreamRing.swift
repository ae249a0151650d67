package import Common

/// The newest rows of a stream, for all its subscribers at once: nobody has a queue of their own. A pure value.
package struct StreamRing: Sendable {
    /// What came together.
    package struct Entry: Sendable {
        package var rows: [FeedMessage.Row]
        /// Rows that no longer are among those that the ring is for.
        package var left: [Left]
        /// The next offset of each source that it moves.
        package var position: [SourceID: Int64]
        /// Of a table of one row a key, read where the feed missed something: see `FeedDelivery`.
        package var isRead = false
        /// When the first of them came to the edge.
        package var heardAt: ContinuousClock.Instant?

        package init(rows: [FeedMessage.Row], left: [Left] = [], position: [SourceID: Int64]) {
            self.rows = rows
            self.left = left
            self.position = position
        }

        /// With the frames that become of the rows. Positions take memory, too.
        var byteCount: Int {
            rows.reduce(StreamRing.entryOverhead + position.count * StreamRing.positionOverhead) {
                $0 + $1.heldByteCount
            } + left.reduce(0) { $0 + 2 * $1.key.count + FeedMessage.Row.overhead }
        }
    }

    /// A row that left, by the change that made it leave.
    package struct Left: Equatable, Sendable {
        /// A JSON object.
        package var key: [UInt8]
        package var source: SourceID
        package var offset: Int64
        package var version: Int64

        package init(_ key: [UInt8], by row: FeedMessage.Row) {
            self.key = key
            (source, offset, version) = (row.source, row.offset, row.version)
        }
    }

    /// Where a source was behind an entry.
    private struct Mark {
        let number: UInt64
        let next: Int64
    }

    /// A source's marks, by number; those before `head` belong to entries that were dropped.
    private struct Marks {
        var all: [Mark] = []
        var head = 0
    }

    private var entries: [Entry] = []
    /// Those before it in `entries` have been dropped.
    private var head = 0
    private(set) var byteCount = 0
    /// The oldest are dropped beyond it; the newest stays.
    package var byteLimit: Int
    private var marks: [SourceID: Marks] = [:]
    /// The number of the oldest entry.
    package private(set) var first: UInt64 = 0
    /// Where the stream is before the oldest entry.
    private var start: [SourceID: Int64]
    /// Where it is behind the newest one.
    package private(set) var position: [SourceID: Int64]

    private static let entryOverhead = 128
    private static let positionOverhead = 64

    /// - Parameter byteLimit: the oldest are dropped beyond it; the newest stays.
    package init(from position: [SourceID: Int64], byteLimit: Int = 16 * 1024 * 1024) {
        self.position = position
        start = position
        self.byteLimit = byteLimit
    }

    /// The number that the next entry gets.
    package var next: UInt64 { first + UInt64(entries.count - head) }

    package mutating func append(_ entry: Entry) {
        for (source, to) in entry.position {
            marks[source, default: Marks()].all.append(Mark(number: next, next: to))
        }
        entries.append(entry)
        byteCount += entry.byteCount
        position.merge(entry.position) { $1 }
        while byteCount > byteLimit, entries.count - head > 1 { dropFirst() }
        if head > entries.count / 2 {
            entries.removeFirst(head)
            head = 0
        }
    }

    private mutating func dropFirst() {
        let entry = entries[head]
        byteCount -= entry.byteCount
        head += 1
        first += 1
        for (source, to) in entry.position {
            start[source] = to
            marks[source]!.head += 1
            if marks[source]!.head > marks[source]!.all.count / 2 {
                marks[source]!.all.removeFirst(marks[source]!.head)
                marks[source]!.head = 0
            }
        }
    }

    /// - Precondition: `first <= number < next`.
    package subscript(number: UInt64) -> Entry { entries[head + Int(number - first)] }

    /// Of an entry, without its rows.
    package func position(of number: UInt64) -> [SourceID: Int64] { entries[head + Int(number - first)].position }

    /// The first entry that has something for a subscriber who is there; nil when the ring does not reach back so far.
    package func place(of own: [SourceID: Int64]) -> UInt64? {
        var place = next
        for source in position.keys {
            let next = own[source] ?? 0
            guard next >= start[source] ?? 0 else { return nil }
            guard let marks = marks[source], let mark = Self.first(marks, behind: next) else { continue }
            place = min(place, mark.number)
        }
        return place
    }

    /// Calls `body` with a source's rows from an offset on, until it says false.
    ///
    /// - Returns: false when the ring does not reach back so far.
    package func forEachRow(of source: SourceID, from next: Int64, _ body: (FeedMessage.Row) -> Bool) -> Bool {
        guard let begin = start[source], next >= begin else { return false }
        guard let marks = marks[source], let mark = Self.first(marks, behind: next) else { return true }
        for number in mark.number..<self.next {
            for row in self[number].rows where row.source == source && row.offset >= next {
                if !body(row) { return true }
            }
        }
        return true
    }

    private static func first(_ marks: Marks, behind next: Int64) -> Mark? {
        var (low, high) = (marks.head, marks.all.count)
        while low < high {
            let middle = (low + high) / 2
            if marks.all[middle].next > next { high = middle } else { low = middle + 1 }
        }
        return low < marks.all.count ? marks.all[low] : nil
    }

    /// The sources in which a subscriber is ahead of where the stream is before an entry: what it has already is left out.
    package func ahead(_ own: [SourceID: Int64], at number: UInt64) -> [SourceID: Int64] {
        own.filter { source, next in next > before(number, source) }
    }

    private func before(_ number: UInt64, _ source: SourceID) -> Int64 {
        guard let marks = marks[source] else { return start[source] ?? 0 }
        let mark = marks.all[marks.head...].last { $0.number < number }
        return mark?.next ?? start[source] ?? 0
    }
}

extension FeedMessage.Row {
    /// Of a row beside its text, with what allocations cost.
    static let overhead = 88

    /// What it takes in memory, with as much again for the frames that it becomes part of.
    var heldByteCount: Int { 2 * json.count + Self.overhead }
}
