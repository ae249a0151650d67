import Common
import Feed
import Postgres
import WebServer

/// What subscribers who are behind have read for them: each reading once, for all who want it, and only so many bytes at
/// a time. On the server's thread.
final class Readings {
    struct Subscriber: Sendable {
        let client: UInt64
        let sub: Int
        /// Of the subscription.
        let serial: UInt64
    }

    enum Outcome {
        case read(Reading)
        /// It can't be read, and asking again will not help.
        case failed(PostgresError)
    }

    /// What the threads answer; nil while Postgres is away.
    typealias Answer = Result<Reading.Content, PostgresError>

    private let threads: ReaderThreads
    private let answer: @Sendable (Reading.Key, Answer) -> Void
    /// Whether a subscriber still waits.
    var isWaiting: (Subscriber) -> Bool = { _ in true }
    private var waiting: [Reading.Key: [Subscriber]] = [:]
    /// Not begun yet, in the order in which they were wanted.
    private var queue: [Reading.Key] = []
    private var runningCount = 0
    /// Postgres was away.
    private var retries: [Reading.Key] = []
    /// The newest, for those who come next.
    private var recent: [(key: Reading.Key, reading: Reading)] = []
    private var recentByteCount = 0
    /// Readings so far.
    private(set) var count: Int64 = 0
    /// Of all readings that somebody has still to be sent.
    private(set) var heldByteCount = 0

    private static let runningLimit = 2
    /// Less than all that may be held: what is only remembered must not keep others from reading.
    private var recentByteLimit: Int { byteLimit / 2 }
    private static let recentLimit = 256
    /// Beyond it nothing is read until somebody has taken what was; who takes nothing for long is let go.
    private let byteLimit: Int

    /// - Parameter answer: called on one of the threads: hands over to `take`.
    init(
        _ threads: ReaderThreads, byteLimit: Int,
        answer: @escaping @Sendable (Reading.Key, Answer) -> Void
    ) {
        self.threads = threads
        self.byteLimit = byteLimit
        self.answer = answer
    }

    /// What is known already, or nil: then it is read, and the subscriber told.
    func ask(_ key: Reading.Key, for subscriber: Subscriber) -> Reading? {
        if let known = recent.first(where: { $0.key == key }) { return known.reading }
        if waiting[key] != nil {
            waiting[key]!.append(subscriber)
        } else {
            waiting[key] = [subscriber]
            queue.append(key)
            begin()
        }
        return nil
    }

    private func begin() {
        while runningCount < Self.runningLimit, heldByteCount < byteLimit, !queue.isEmpty {
            let key = queue.removeFirst()
            // Whoever wanted it may be gone: a map that is dragged asks for much that it does not wait for.
            let wanted = (waiting[key] ?? []).filter(isWaiting)
            waiting[key] = wanted.isEmpty ? nil : wanted
            guard !wanted.isEmpty else { continue }
            runningCount += 1
            count += 1
            threads.ask { [answer] readers in
                answer(key, Result { () throws(PostgresError) in try Self.read(key, readers) })
            }
        }
    }

    private static func read(
        _ key: Reading.Key, _ readers: ReaderThreads.Readers
    ) throws(PostgresError) -> Reading.Content {
        let reader = readers[key.opening.stored]
        return switch key.what {
        case .rows(let piece): .rows(piece.span, try reader.rows(piece.span))
        case .page(_, let request): .page(try reader.snapshot(request))
        }
    }

    /// Who wanted it, and what they get. What failed since Postgres is away is read again, and nobody is told.
    func take(_ key: Reading.Key, _ answer: Answer) -> (Outcome, [Subscriber])? {
        runningCount -= 1
        defer { begin() }
        switch answer {
        case .success(let content):
            let reading = Reading(content) { [weak self] in self?.ended($0) }
            heldByteCount += reading.byteCount
            remember(key, reading)
            return (.read(reading), waiting.removeValue(forKey: key) ?? [])
        case .failure(let error) where !error.isLasting:
            retries.append(key)
            return nil
        case .failure(let error): return (.failed(error), waiting.removeValue(forKey: key) ?? [])
        }
    }

    /// Once a second: what failed is tried again.
    func ticked() {
        queue += retries
        retries = []
        begin()
    }

    /// Its rows may be others now.
    func forget(_ opening: StreamFeed.Opening) {
        recent.removeAll { $0.key.opening.number == opening.number }
        recentByteCount = recent.reduce(0) { $0 + $1.reading.byteCount }
    }

    private func remember(_ key: Reading.Key, _ reading: Reading) {
        recent.append((key, reading))
        recentByteCount += reading.byteCount
        while recentByteCount > recentByteLimit || recent.count > Self.recentLimit {
            recentByteCount -= recent.removeFirst().reading.byteCount
        }
    }

    private func ended(_ byteCount: Int) {
        heldByteCount -= byteCount
        begin()
    }
}
