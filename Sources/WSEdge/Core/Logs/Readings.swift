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
    typealias Answer = Result<(ReplayedRows, FrameBuffer), PostgresError>

    private let threads: ReaderThreads
    private let answer: @Sendable (Reading.Key, FeedMessage.Span, Answer) -> Void
    private var waiting: [Reading.Key: [Subscriber]] = [:]
    /// Not begun yet, in the order in which they were wanted.
    private var queue: [(key: Reading.Key, span: FeedMessage.Span)] = []
    private var runningCount = 0
    /// Postgres was away.
    private var retries: [(key: Reading.Key, span: FeedMessage.Span)] = []
    /// The newest, for those who come next.
    private var recent: [(key: Reading.Key, reading: Reading)] = []
    private var recentByteCount = 0
    /// Of all readings that somebody has still to be sent.
    private(set) var heldByteCount = 0

    private static let runningLimit = 2
    private static let recentByteLimit = 8 * 1024 * 1024
    private static let recentLimit = 256
    /// Beyond it nothing is read until somebody has taken what was; who takes nothing for long is let go.
    private let byteLimit: Int

    /// - Parameter answer: called on one of the threads: hands over to `take`.
    init(
        _ threads: ReaderThreads, byteLimit: Int,
        answer: @escaping @Sendable (Reading.Key, FeedMessage.Span, Answer) -> Void
    ) {
        self.threads = threads
        self.byteLimit = byteLimit
        self.answer = answer
    }

    /// What is known already, or nil: then it is read, and the subscriber told.
    func ask(_ key: Reading.Key, _ span: FeedMessage.Span, for subscriber: Subscriber) -> Reading? {
        if let known = recent.first(where: { $0.key == key }) { return known.reading }
        if waiting[key] != nil {
            waiting[key]!.append(subscriber)
        } else {
            waiting[key] = [subscriber]
            queue.append((key, span))
            begin()
        }
        return nil
    }

    private func begin() {
        while runningCount < Self.runningLimit, heldByteCount < byteLimit, !queue.isEmpty {
            let (key, span) = queue.removeFirst()
            runningCount += 1
            threads.ask { [answer] readers in
                answer(
                    key, span,
                    Result { () throws(PostgresError) in
                        var replayed = try readers[key.stored].rows(span)
                        // Encoded here: the server's thread has other things to do.
                        let frames = key.encoding.frames(replayed.rows, [span.source: replayed.end])
                        replayed.rows = []
                        return (replayed, frames)
                    })
            }
        }
    }

    /// Who wanted it, and what they get. What failed since Postgres is away is read again, and nobody is told.
    func take(_ key: Reading.Key, _ span: FeedMessage.Span, _ answer: Answer) -> (Outcome, [Subscriber])? {
        runningCount -= 1
        defer { begin() }
        switch answer {
        case .success((let replayed, let frames)):
            heldByteCount += frames.bytes.count
            let reading = Reading(span, replayed, frames) { [weak self] in self?.ended($0) }
            remember(key, reading)
            return (.read(reading), waiting.removeValue(forKey: key) ?? [])
        case .failure(let error) where !error.isLasting:
            retries.append((key, span))
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
    func forget(_ stored: StoredStream) {
        recent.removeAll { $0.key.stored == stored }
        recentByteCount = recent.reduce(0) { $0 + $1.reading.frames.bytes.count }
    }

    private func remember(_ key: Reading.Key, _ reading: Reading) {
        recent.append((key, reading))
        recentByteCount += reading.frames.bytes.count
        while recentByteCount > Self.recentByteLimit || recent.count > Self.recentLimit {
            recentByteCount -= recent.removeFirst().reading.frames.bytes.count
        }
    }

    private func ended(_ byteCount: Int) {
        heldByteCount -= byteCount
        begin()
    }
}
