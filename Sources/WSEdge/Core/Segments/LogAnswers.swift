import Common
import Feed
import Postgres
import WebServer

/// Answers about logs that are being read: each once, for all who have asked meanwhile. On the server's thread.
struct LogAnswers {
    struct Key: Hashable, Sendable {
        enum What: Hashable, Sendable {
            case index
            case segment(SegmentAddress)
        }

        let stored: StoredStream
        let audience: LogAudience
        let what: What
    }

    /// One that waits for rows behind all that there are.
    struct Waiting {
        let exchange: HTTPExchange
        let key: Key
        let address: SegmentAddress
        let until: ContinuousClock.Instant
    }

    private struct Place: Hashable {
        let stream: String
        let source: SourceID
    }

    private var reading: [Key: [HTTPExchange]] = [:]
    private var waiting: [Place: [Waiting]] = [:]

    var readingCount: Int { reading.count }
    private(set) var waitingCount = 0

    /// - Returns: whether somebody has to read it.
    mutating func ask(_ key: Key, _ exchange: HTTPExchange) -> Bool {
        reading[key, default: []].append(exchange)
        return reading[key]?.count == 1
    }

    func isBeingRead(_ key: Key) -> Bool { reading[key] != nil }

    mutating func answered(_ key: Key) -> [HTTPExchange] { reading.removeValue(forKey: key) ?? [] }

    mutating func wait(_ one: Waiting) {
        let place = Place(stream: one.key.stored.stream.name, source: one.address.source)
        waiting[place, default: []].append(one)
        waitingCount += 1
    }

    /// Those who have something to read now.
    mutating func moved(_ stream: String, to position: [SourceID: Int64]) -> [Waiting] {
        guard !waiting.isEmpty else { return [] }
        var found: [Waiting] = []
        for (source, next) in position {
            found += take(Place(stream: stream, source: source)) { $0.address.from < next }
        }
        return found
    }

    /// Those of whom it is no longer sure where they are.
    mutating func began(_ stream: String) -> [Waiting] {
        waiting.keys.filter { $0.stream == stream }.reduce(into: []) { found, place in
            found += take(place) { _ in true }
        }
    }

    /// Those who have waited long enough. Those who have gone are forgotten.
    mutating func due(at now: ContinuousClock.Instant) -> [Waiting] {
        Array(waiting.keys).reduce(into: []) { found, place in
            found += take(place) { $0.until <= now || $0.exchange.isAbandoned }
        }
    }

    private mutating func take(_ place: Place, _ isTaken: (Waiting) -> Bool) -> [Waiting] {
        guard let all = waiting[place] else { return [] }
        let taken = all.filter(isTaken)
        guard !taken.isEmpty else { return [] }
        let left = all.filter { !isTaken($0) }
        waiting[place] = left.isEmpty ? nil : left
        waitingCount -= taken.count
        return taken
    }
}
