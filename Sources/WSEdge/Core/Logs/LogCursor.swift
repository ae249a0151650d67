package import Common
package import Feed

/// Where a subscriber is in its stream. A pure value.
///
/// One who resumes is first given a target: how far the stream is at that moment. What is missing up to it comes from
/// Postgres, all sources in turn; then the ring takes over, from the first entry that has something for the subscriber.
/// The target stands still while it is approached, or a busy stream would never be caught up with. Only one for whom the
/// ring does not reach back far enough, when the target is reached, gets another.
package struct LogCursor: Sendable {
    package enum Step: Sendable {
        /// Send what the group is sent for this entry.
        case shared(UInt64)
        /// Send what is left of an entry: the rest it has.
        case own(StreamRing.Entry)
        /// Send these entries as one: it is late, and only the newest counts.
        case merged(Range<UInt64>)
        /// Read the first rows of this from Postgres, and answer with `take`.
        case read(FeedMessage.Span)
        /// There is nothing to do now.
        case wait
    }

    private enum State {
        case live(UInt64)
        /// Ahead in some sources of what the entry's predecessor brought.
        case joining(UInt64, ahead: [SourceID: Int64])
        case behind(target: [SourceID: Int64], isReading: Bool, last: SourceID?)
    }

    private var state: State
    /// The next offset of each source.
    package private(set) var position: [SourceID: Int64]

    /// - Parameters:
    ///   - position: where to go on; nil for what comes from now on.
    ///   - now: how far the stream is; nil: as far as its ring, which of some rows only may be behind.
    package init(from position: [SourceID: Int64]?, in ring: StreamRing, now: [SourceID: Int64]? = nil) {
        self.position = position ?? now ?? ring.position
        if position == nil {
            state = .live(ring.next)
        } else if let place = ring.place(of: self.position) {
            state = .joining(place, ahead: ring.ahead(self.position, at: place))
        } else {
            state = .behind(target: ring.position, isReading: false, last: nil)
        }
    }

    /// Has all that the ring has had before its place, and nothing behind it.
    package var isLive: Bool { if case .live = state { true } else { false } }

    /// Reads from Postgres.
    package var isBehind: Bool { if case .behind = state { true } else { false } }

    /// Whether all of the ring was had.
    /// - Parameter next: the ring's.
    package func isAtEnd(_ next: UInt64) -> Bool { if case .live(next) = state { true } else { false } }

    /// - Parameter merging: entries that wait may become one.
    package mutating func step(_ ring: StreamRing, merging: Bool = false) -> Step {
        while true {
            switch state {
            case .live(let number) where merging && number >= ring.first && number + 1 < ring.next:
                for entry in number..<ring.next { position.merge(ring.position(of: entry)) { $1 } }
                state = .live(ring.next)
                return .merged(number..<ring.next)
            case .live(let number) where number >= ring.first:
                guard number < ring.next else { return .wait }
                position.merge(ring.position(of: number)) { $1 }
                state = .live(number + 1)
                return .shared(number)
            case .joining(let number, let ahead) where ahead.isEmpty: state = .live(number)
            case .joining(let number, let ahead) where number >= ring.first:
                guard number < ring.next else { return .wait }
                if let step = join(ring[number], number, ahead) { return step }
            case .live, .joining: state = .behind(target: ring.position, isReading: false, last: nil)
            case .behind(_, isReading: true, _): return .wait
            case .behind(let target, isReading: false, let last):
                if let span = next(target, after: last, ring) {
                    state = .behind(target: target, isReading: true, last: span.source)
                    return .read(span)
                }
                if let place = ring.place(of: position) {
                    state = .joining(place, ahead: ring.ahead(position, at: place))
                } else {
                    state = .behind(target: ring.position, isReading: false, last: last)
                }
            }
        }
    }

    /// Nil when the entry has nothing for it.
    private mutating func join(_ entry: StreamRing.Entry, _ number: UInt64, _ ahead: [SourceID: Int64]) -> Step? {
        var left = ahead
        var moved: [SourceID: Int64] = [:]
        for (source, to) in entry.position {
            if let own = ahead[source] {
                if to >= own { left[source] = nil }
                if to > own { moved[source] = to }
            } else {
                moved[source] = to
            }
        }
        let isWhole = !entry.position.keys.contains { ahead[$0] != nil }
        state = .joining(number + 1, ahead: left)
        guard !moved.isEmpty else { return nil }
        position.merge(moved) { $1 }
        if isWhole { return .shared(number) }
        return .own(
            .init(
                rows: entry.rows.filter { $0.offset >= ahead[$0.source] ?? 0 },
                left: entry.left.filter { $0.offset >= ahead[$0.source] ?? 0 }, position: moved))
    }

    /// Sources take turns. What is read may go beyond the target: it is committed, and others want it too.
    private func next(
        _ target: [SourceID: Int64], after last: SourceID?, _ ring: StreamRing
    ) -> FeedMessage.Span? {
        let missing = target.filter { position[$0.key] ?? 0 < $0.value }.keys.sorted()
        guard let source = missing.first(where: { source in last.map { source > $0 } ?? true }) ?? missing.first else {
            return nil
        }
        return .init(source: source, from: position[source] ?? 0, to: ring.position[source] ?? target[source]!)
    }

    /// Takes what was read; `source` is now where that ends.
    package mutating func take(_ source: SourceID, _ replayed: ReplayedRows) {
        position[source] = max(position[source] ?? 0, replayed.end)
        if case .behind(let target, _, let last) = state {
            state = .behind(target: target, isReading: false, last: last)
        }
    }
}
