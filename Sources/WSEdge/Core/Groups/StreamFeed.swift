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
    /// Those that get rows as they come: few, for they differ in nothing but their form.
    private var whole: [Group] = []
    /// Those that get the newest of all keys: few, one a rate.
    private var unfiltered: [Group] = []
    /// There may be thousands: a row costs those that it concerns.
    private var filtered: [Int: Group] = [:]
    /// Groups of the newest rows that have some to be told, in their turn.
    private var waiting: [Int: Group] = [:]
    private var index: FilterIndex<Int>
    /// Of tables of one row a key, while somebody filters them.
    var rows: KeyedRows?
    /// By topic and partition.
    var sources: [StreamState.Place: SourceID]
    /// Of the newest rows that are kept in memory; as much again are the groups' own.
    var ringByteLimit: Int { didSet { shareMemory() } }
    private var sharedByteLimit = 0
    /// Rows that were delivered.
    private(set) var rowCount: Int64 = 0
    /// Milliseconds until rows that came are handed to a client's socket.
    private(set) var delivery = Histogram()
    private var deliveryCount = 0

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
        let own = RowLog(StreamRing(from: position, byteLimit: groupRingByteLimit))
        let group = Group(sub: number(), key, opening, key.isWhole ? log : own)
        groups[key] = group
        if key.isWhole {
            whole.append(group)
        } else if key.filter.isEmpty {
            unfiltered.append(group)
        } else {
            filtered[group.sub] = group
            index.insert(group.sub, key.filter)
        }
        shareMemory()
        return group
    }

    /// Nobody is subscribed any more.
    func remove(_ group: Group) {
        guard group.subscribers.isEmpty, groups.removeValue(forKey: group.key) != nil else { return }
        whole.removeAll { $0 === group }
        unfiltered.removeAll { $0 === group }
        filtered[group.sub] = nil
        waiting[group.sub] = nil
        index.remove(group.sub)
        shareMemory()
    }

    private var chosen: [Group] { unfiltered + filtered.values }

    var ringByteCount: Int { chosen.reduce(log.ring.byteCount) { $0 + $1.log.ring.byteCount } }

    /// Whether somebody filters a table of it.
    var filtersKeys: Bool { filtered.values.contains(where: \.isKeyed) }

    /// Clients of filtered tables.
    var keyFilterers: [(EdgeClient, sub: Int)] {
        filtered.values.filter(\.isKeyed).flatMap { group in group.subscribers.values.map { ($0, group.sub) } }
    }

    /// Rows that several groups keep are there once, but not their frames. In steps, so that not every group that comes or goes
    /// concerns all others.
    private var groupRingByteLimit: Int {
        var shares = 4
        while shares < unfiltered.count + filtered.count { shares *= 2 }
        return max(Self.smallestRing, ringByteLimit / shares)
    }

    private func shareMemory() {
        log.ring.byteLimit = ringByteLimit
        let limit = groupRingByteLimit
        guard limit != sharedByteLimit else { return }
        sharedByteLimit = limit
        for group in chosen { group.log.ring.byteLimit = limit }
    }

    private static let smallestRing = 4 * 1024

    // MARK: Rows

    func deliver(_ entry: StreamRing.Entry) {
        log.ring.append(entry)
        rowCount += Int64(entry.rows.count)
        for group in whole { group.wake() }
        for group in unfiltered { tell(group, entry) }
        // Rows that are watched have to be known as they are also while nobody filters them yet.
        guard !index.isEmpty || rows != nil else { return }
        var told: [Int: ChosenRows] = [:]
        for row in entry.rows { choose(row, isRead: entry.isRead, &told) }
        for (sub, var rows) in told { if let group = filtered[sub] { tell(group, rows.takeAll()) } }
    }

    /// Whether a delivery is one of those whose time is taken: there are a hundred thousand a second.
    func samplesDelivery() -> Bool {
        deliveryCount &+= 1
        return deliveryCount % Self.deliveryInterval == 0
    }

    func addDelivery(of entry: StreamRing.Entry) {
        guard let time = entry.heardAt else { return }
        delivery.add((ContinuousClock.now - time) / .milliseconds(1))
    }

    private static let deliveryInterval = 16

    private func tell(_ group: Group, _ entry: StreamRing.Entry) {
        group.tell(entry, position: position)
        if group.hasNewest { waiting[group.sub] = group }
    }

    /// Whom a row concerns: those whose filter lets it through, and those whose filter let the row before it through.
    private func choose(_ row: FeedMessage.Row, isRead: Bool, _ told: inout [Int: ChosenRows]) {
        let before = rows?.replace(row, position, isRead: isRead)
        // The newer one has been told.
        if case .newer? = before { return }
        let matching = row.deleted ? [] : index.matches(row.json)
        func tell(_ sub: Int, _ body: (inout ChosenRows) -> Void) {
            guard let group = filtered[sub] else { return }
            body(&told[sub, default: ChosenRows(group.isKeyed ? group.keys : nil)])
        }
        for sub in matching { tell(sub) { $0.add(row) } }
        guard let before else { return }
        let former: Set<Int> =
            switch before {
            case .known(let json, _): index.matches(json)
            // Nobody can have it.
            case .absent, .newer: []
            // Some may, all are told.
            case .unknown: Set(filtered.keys)
            }
        for sub in former.subtracting(matching) {
            guard filtered[sub]?.isKeyed == true else { continue }
            tell(sub) { row.deleted ? $0.add(row) : $0.leave(.init(before.key, by: row)) }
        }
    }

    /// - Returns: when those whose turn is not yet have theirs.
    func takeTurns(at now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        for (sub, group) in waiting where group.nextTurn <= now {
            group.takeTurn(at: now, position: position)
            waiting[sub] = nil
        }
        return waiting.values.map(\.nextTurn).min()
    }

    /// Those of whom nothing was heard for long are told how far the stream is.
    func tellPositions(before time: ContinuousClock.Instant) {
        for group in chosen where group.toldAt < time { group.tellPosition(position) }
    }
}
