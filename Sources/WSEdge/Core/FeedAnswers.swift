import Feed
import Postgres
import Synchronization
import WebServer

/// What Postgres answered the followers of streams: put in by the threads that waited for it, taken by the feed's. One
/// answer a stream at a time.
final class FeedAnswers: Sendable {
    typealias Answer = (stored: StoredStream, result: Result<FeedAnswer, PostgresError>)

    private let answers = Mutex<[Answer]>([])
    private let waker: ServerWaker

    init() throws(WebServerError) {
        waker = try ServerWaker()
    }

    /// Readable while there are answers.
    var descriptor: Int32 { waker.descriptor }

    func put(_ stored: StoredStream, _ result: Result<FeedAnswer, PostgresError>) {
        answers.withLock { $0.append((stored, result)) }
        waker.wake()
    }

    func takeAll() -> [Answer] {
        waker.calmDown()
        return answers.withLock { answers in
            defer { answers = [] }
            return answers
        }
    }
}
