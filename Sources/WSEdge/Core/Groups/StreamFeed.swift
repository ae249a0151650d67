import Common
import Feed

/// A stream as the server's thread has it: its newest rows, and the groups of those who are subscribed.
final class StreamFeed {
    /// Where it begins to be followed.
    struct Opening: Sendable {
        let stored: StoredStream
        let epoch: String
        let sources: [SourceID: StreamState.Source]
        /// Tells this opening from others of the stream.
        let number: Int
    }

    let opening: Opening
    /// All rows.
    let log: RowLog
    private(set) var groups: [GroupKey: Group] = [:]
    /// Those that don't get all rows.
    private var chosen: [Int: Group] = [:]
    private var index: FilterIndex<Int>
    /// Of tables of one row a key, while somebody filters them.
    var rows: KeyedRows?
    /// By topic and partition.
    var sources: [StreamState.Place: SourceID]
    /// Of the newest rows that are kept in memory; as much again are the groups' own.
    var ringByteLimit: Int { didSet { shareMemory() } }
    /// Rows that were delivered.
    private(set) var rowCount: Int64 = 0

    var stream: StreamDefinition { opening.stored.stream }
    var position: [SourceID: Int64] { log.ring.position }

    init(_ opening: Opening, ringByteLimit: Int) {
        self.opening = opening
        self.ringByteLimit = ringByteLimit
        sources = Self.places(opening.sources)
        log = RowLog(StreamRing(from: opening.sources.mapValues(\.next), byteLimit: ringByteLimit))
        index = FilterIndex(opening.stored.stream)
    }

    static func places(_ sources: [SourceID: StreamState.Source]) -> [StreamState.Place: SourceID] {
        Dictionary(sources.map { ($0.value.place, $0.key) }) { max($0, $1) }
    }

    // MARK: Groups

    /// - Parameter number: of the group, if there has to be a new one.
    func group(_ key: GroupKey, number: () -> Int) -> Group {
        if let known = groups[key] { return known }
        let own = RowLog(StreamRing(from: position, byteLimit: ringByteLimit / 4))
        let group = Group(sub: number(), key, stream, key.isWhole ? log : own)
        groups[key] = group
        if !key.isWhole {
            chosen[group.sub] = group
            if !key.filter.isEmpty { index.insert(group.sub, key.filter) }
            shareMemory()
        }
        return group
    }

    /// Nobody is subscribed any more.
    func remove(_ group: Group) {
        guard group.subscribers.isEmpty, groups.removeValue(forKey: group.key) != nil else { return }
        chosen[group.sub] = nil
        index.remove(group.sub)
        shareMemory()
    }

    var ringByteCount: Int { chosen.values.reduce(log.ring.byteCount) { $0 + $1.log.ring.byteCount } }

    /// Whether somebody filters it.
    var isFiltered: Bool { !index.isEmpty }

    /// Rows that several groups keep are there once, but not their frames.
    private func shareMemory() {
        log.ring.byteLimit = ringByteLimit
        let limit = max(Self.smallestRing, ringByteLimit / max(4, chosen.count))
        for group in chosen.values { group.log.ring.byteLimit = limit }
    }

    private static let smallestRing = 4 * 1024

    // MARK: Rows

    func deliver(_ entry: StreamRing.Entry) {
        log.ring.append(entry)
        rowCount += Int64(entry.rows.count)
        for group in groups.values where group.key.isWhole { group.wake() }
        for group in chosen.values where group.key.filter.isEmpty { group.tell(entry, position: position) }
        // Rows that are watched have to be known as they are also while nobody filters them yet.
        guard !index.isEmpty || rows != nil else { return }
        var told: [Int: ChosenRows] = [:]
        for row in entry.rows { choose(row, &told) }
        for (sub, var rows) in told { chosen[sub]?.tell(rows.takeAll(), position: position) }
    }

    /// Whom a row concerns: those whose filter lets it through, and those whose filter let the row before it through.
    private func choose(_ row: FeedMessage.Row, _ told: inout [Int: ChosenRows]) {
        let before = rows?.replace(row)
        let matching = row.deleted ? [] : index.matches(row.json)
        func tell(_ sub: Int, _ body: (inout ChosenRows) -> Void) {
            guard let group = chosen[sub] else { return }
            body(&told[sub, default: ChosenRows(group.isKeyed ? group.keys : nil)])
        }
        for sub in matching { tell(sub) { $0.add(row) } }
        guard let before else { return }
        let former: Set<Int> =
            switch before {
            case .known(let json, _): index.matches(json)
            // Nobody can have it.
            case .absent: []
            // Some may, all are told.
            case .unknown: Set(chosen.keys)
            }
        for sub in former.subtracting(matching) {
            guard let group = chosen[sub], !group.key.filter.isEmpty, group.isKeyed else { continue }
            tell(sub) { row.deleted ? $0.add(row) : $0.leave(before.key) }
        }
    }

    /// Those that are told the newest of each key, and have some to be told.
    func takeTurns(at now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        var next: ContinuousClock.Instant?
        for group in chosen.values where group.hasNewest {
            if group.nextTurn <= now {
                group.takeTurn(at: now, position: position)
            } else {
                next = min(next ?? group.nextTurn, group.nextTurn)
            }
        }
        return next
    }

    /// Those of whom nothing was heard for long are told how far the stream is.
    func tellPositions(before time: ContinuousClock.Instant) {
        for group in chosen.values where group.toldAt < time { group.tellPosition(position) }
    }
}
