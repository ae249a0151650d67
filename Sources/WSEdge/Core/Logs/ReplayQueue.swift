import Common
import Feed
import Foundation
import Postgres

/// What is needed from Postgres, read on threads of its own: one question a subscriber at a time, and pages.
final class ReplayQueue: @unchecked Sendable {
    struct Question: Sendable {
        enum Kind: Sendable {
            /// How far the stream is, for a subscription that resumes.
            case state(ResumeRequest)
            /// The first rows of a span.
            case rows(FeedMessage.Span, GroupEncoding)
            /// For an HTTP request: the client is its number.
            case page(RowPage.Request)
        }

        let client: UInt64
        var sub = 0
        var serial: UInt64 = 0
        let stored: StoredStream
        let kind: Kind
    }

    private static let threadCount = 2
    private static let retryInterval = 0.5
    /// Of pages; one more is refused. Of the others there is one a subscription.
    private static let pageLimit = 64

    private let inbox: EdgeInbox
    private let log: @Sendable (String) -> Void
    // Guards what follows.
    private let condition = NSCondition()
    private var questions: [Question] = []
    private var pageCount = 0

    init(_ inbox: EdgeInbox, log: @escaping @Sendable (String) -> Void) {
        self.inbox = inbox
        self.log = log
        for number in 0..<Self.threadCount {
            let thread = Thread { [self] in serve() }
            thread.name = "replay \(number)"
            thread.start()
        }
    }

    func ask(_ question: Question) {
        condition.lock()
        questions.append(question)
        condition.signal()
        condition.unlock()
    }

    /// False when too many wait already.
    func askPage(_ question: Question) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        guard pageCount < Self.pageLimit else { return false }
        pageCount += 1
        questions.append(question)
        condition.signal()
        return true
    }

    private func next() -> Question {
        condition.lock()
        defer { condition.unlock() }
        while questions.isEmpty { condition.wait() }
        let question = questions.removeFirst()
        if case .page = question.kind { pageCount -= 1 }
        return question
    }

    /// For as long as the process lives.
    private func serve() -> Never {
        var readers: [StoredStream: ReplayReader] = [:]
        while true {
            let question = next()
            let reader = readers[question.stored] ?? ReplayReader(question.stored)
            readers[question.stored] = reader
            if case .page(let request) = question.kind {
                let result = Result { () throws(PostgresError) in try reader.page(request) }
                inbox.put(.page(question.client, result))
                continue
            }
            guard let kind = answer(question, reader) else {
                // Postgres is away: the subscriber waits, and is told that it lives.
                Thread.sleep(forTimeInterval: Self.retryInterval)
                ask(question)
                continue
            }
            inbox.put(
                .answered(
                    ReplayAnswer(client: question.client, sub: question.sub, serial: question.serial, kind: kind)))
        }
    }

    /// Nil while Postgres is away.
    private func answer(_ question: Question, _ reader: ReplayReader) -> ReplayAnswer.Kind? {
        switch question.kind {
        case .page: return nil
        case .state(let request):
            return .state(request, Result { () throws(PostgresError) in try reader.state() })
        case .rows(let span, let encoding):
            do throws(PostgresError) {
                let replayed = try reader.rows(span)
                // Built here: the server's thread has other things to do.
                let batches = FeedBatch.make(encoding, replayed.rows, position: [span.source: replayed.end])
                return .rows(span, replayed, batches)
            } catch {
                guard error.disposition != .outage, error.disposition != .retryTransaction else { return nil }
                log("rows of \(question.stored.stream.name) can't be read: \(error)")
                return .failed
            }
        }
    }
}
