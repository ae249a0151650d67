import Common
import Feed
import WebServer

/// Subscribers of a stream who are told the same: one buffer serves them all. On the server's thread.
final class Group {
    /// Its number in messages, not used before by this edge.
    let sub: Int
    let key: GroupKey
    let encoding: GroupEncoding
    let stream: StreamDefinition
    let keys: RowKeys
    let chooser: RowChooser
    /// What they are told: the stream's own, or rows that were chosen for this group.
    let log: RowLog
    var subscribers: [UInt64: EdgeClient] = [:]
    /// By number of the ring's entry: what was encoded since somebody wanted it.
    private var encoded: [UInt64: FrameBuffer] = [:]
    private var firstEncoded: UInt64
    /// Of a group that is told the newest of each key: what waits for its turn.
    private var newest: NewestRows
    /// No message of such a group goes out before.
    private(set) var nextTurn = ContinuousClock.now
    /// When it was last told something.
    private(set) var toldAt = ContinuousClock.now

    /// Whether its clients keep one row a key.
    var isKeyed: Bool { key.isKeyed(stream) }

    init(sub: Int, _ key: GroupKey, _ opening: StreamFeed.Opening, _ log: RowLog) {
        let stream = opening.stored.stream
        self.sub = sub
        self.key = key
        self.log = log
        self.stream = stream
        keys = RowKeys(stream)
        chooser = RowChooser(key.filter, stream)
        encoding = GroupEncoding(sub: sub, key, stream, epoch: opening.epoch)
        newest = NewestRows(keys)
        firstEncoded = log.ring.first
    }

    /// What all who have everything before an entry are told of it.
    ///
    /// - Parameter position: that of one of them.
    func frames(_ number: UInt64, from position: [SourceID: Int64]?) -> FrameBuffer {
        while firstEncoded < log.ring.first {
            encoded[firstEncoded] = nil
            firstEncoded += 1
        }
        if let known = encoded[number] { return known }
        let frames = encoding.frames(log.ring[number], from: position)
        encoded[number] = frames
        return frames
    }

    /// Several entries as one, of which only the newest of each key counts: for a client that is late.
    func merged(_ numbers: Range<UInt64>) -> StreamRing.Entry {
        var rows = NewestRows(keys)
        for number in numbers { rows.add(log.ring[number]) }
        return rows.takeAll()
    }

    // MARK: Rows of its own

    /// Rows that were chosen for it.
    ///
    /// - Parameter position: where the stream is with them.
    func tell(_ chosen: StreamRing.Entry, position: [SourceID: Int64]) {
        guard !chosen.rows.isEmpty || !chosen.left.isEmpty else { return }
        var entry = chosen
        if key.isLatest {
            entry.position = [:]
            newest.add(entry)
        } else {
            entry.position = moved(to: position)
            append(entry)
        }
    }

    /// The newest rows have their turn.
    func takeTurn(at now: ContinuousClock.Instant, position: [SourceID: Int64]) {
        guard case .latest(let perSecond) = key.mode else { return }
        nextTurn = now + .seconds(1) / perSecond
        var entry = newest.takeAll()
        entry.position = moved(to: position)
        append(entry)
    }

    var hasNewest: Bool { !newest.isEmpty }

    /// Says how far the stream is, of which nothing concerned it.
    func tellPosition(_ position: [SourceID: Int64]) {
        let moved = moved(to: position)
        if !moved.isEmpty, !hasNewest { append(.init(rows: [], left: [], position: moved)) }
    }

    private func moved(to position: [SourceID: Int64]) -> [SourceID: Int64] {
        position.filter { log.ring.position[$0.key] != $0.value }
    }

    private func append(_ entry: StreamRing.Entry) {
        log.ring.append(entry)
        toldAt = .now
        wake()
    }

    /// Has those asked who don't wait already.
    func wake() {
        for client in subscribers.values where client.connection.waitingSince == nil {
            client.connection.requestWrite()
        }
    }
}

extension Group {
    /// What of rows that were read concerns it: of a table of one row a key also those that its filter does not let through,
    /// since a client may have them as they were.
    func choose(_ rows: [FeedMessage.Row], _ position: [SourceID: Int64]) -> StreamRing.Entry {
        guard !key.filter.isEmpty else { return .init(rows: rows, position: position) }
        var chosen = ChosenRows(isKeyed ? keys : nil)
        for row in rows {
            if row.deleted || chooser.matches(row.json) {
                chosen.add(row)
            } else if isKeyed {
                chosen.leave(.init(keys.json(row.json), by: row))
            }
        }
        var entry = chosen.takeAll()
        entry.position = position
        return entry
    }
}
