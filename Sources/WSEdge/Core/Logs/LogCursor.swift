package import Common
package import Feed
package import WebServer

/// Where a subscriber is in its stream: at a message of the ring, or behind it and reading from Postgres until it has
/// caught up. A pure value.
package struct LogCursor: Sendable {
    package enum Step {
        /// Send it.
        case send(FrameBuffer)
        /// Read its first rows from Postgres, and answer with `take`.
        case read(FeedMessage.Span)
        /// There is nothing to do now.
        case wait
    }

    private enum State: Equatable {
        case live(UInt64)
        case behind(isReading: Bool)
    }

    private var state: State
    /// The next offset of each source.
    package private(set) var position: [SourceID: Int64]

    /// - Parameter position: where to go on; nil for what comes from now on.
    package init(from position: [SourceID: Int64]?, in ring: FeedRing) {
        self.position = position ?? ring.position
        state = position == nil ? .live(ring.next) : .behind(isReading: false)
    }

    package var isBehind: Bool { if case .behind = state { true } else { false } }

    package mutating func step(_ ring: FeedRing) -> Step {
        switch state {
        case .live(let number) where number >= ring.first:
            guard number < ring.next else { return .wait }
            let batch = ring[number]
            position.merge(batch.position) { $1 }
            state = .live(number + 1)
            return batch.frames.bytes.isEmpty ? step(ring) : .send(batch.frames)
        case .behind(isReading: true): return .wait
        case .live, .behind(isReading: false):
            state = .behind(isReading: false)
            // In the order of sources, so that one after the other gets its turn to the end.
            for (source, head) in ring.position.sorted(by: { $0.key < $1.key }) {
                let own = position[source] ?? 0
                guard own < head else { continue }
                state = .behind(isReading: true)
                return .read(.init(source: source, from: own, to: head))
            }
            // Ahead of this edge, which has not seen yet what another one sent: its time comes.
            guard ring.position.allSatisfy({ position[$0.key] ?? 0 == $0.value }) else { return .wait }
            state = .live(ring.next)
            return .wait
        }
    }

    /// Takes what was read; `source` is now where that ends.
    package mutating func take(_ source: SourceID, _ replayed: ReplayedRows) {
        position[source] = replayed.end
        state = .behind(isReading: false)
    }
}
