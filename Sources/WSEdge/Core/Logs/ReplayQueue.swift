import Common
import Feed
import Foundation
import Postgres
import Schema

/// What subscribers need from Postgres, read on threads of its own, one question a subscriber at a time.
final class ReplayQueue: @unchecked Sendable {
    struct Question: Sendable {
        enum Kind: Sendable {
            /// How far the stream is, for a subscription that resumes.
            case state(request: Int64, epoch: String, position: [SourceID: Int64])
            /// The first rows of a span.
            case rows(FeedMessage.Span)
        }

        let client: UInt64
        let sub: Int
        let serial: UInt64
        let stream: StreamDefinition
        let schema: MillraceSchema
        let kind: Kind
    }

    private static let threadCount = 2
    private static let retryInterval = 0.5

    private let database: [String: String]
    private let inbox: EdgeInbox
    private let log: @Sendable (String) -> Void
    // Guards the questions.
    private let condition = NSCondition()
    private var questions: [Question] = []

    init(database: [String: String], _ inbox: EdgeInbox, log: @escaping @Sendable (String) -> Void) {
        self.database = database
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

    private func next() -> Question {
        condition.lock()
        defer { condition.unlock() }
        while questions.isEmpty { condition.wait() }
        return questions.removeFirst()
    }

    /// For as long as the process lives.
    private func serve() -> Never {
        var readers: [StreamDefinition: ReplayReader] = [:]
        while true {
            let question = next()
            let reader =
                readers[question.stream]
                ?? ReplayReader(question.stream, schema: question.schema, database: database)
            readers[question.stream] = reader
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
        case .state(let request, let epoch, let position):
            let result = Result { () throws(PostgresError) in try reader.state() }
            return .state(request: request, epoch: epoch, position: position, result)
        case .rows(let span):
            do throws(PostgresError) {
                let replayed = try reader.rows(span)
                // Built here: the server's thread has other things to do.
                let batches = FeedBatch.make(
                    sub: question.sub, replayed.rows, position: [span.source: replayed.end])
                return .rows(span, replayed, batches)
            } catch {
                guard error.disposition != .outage, error.disposition != .retryTransaction else { return nil }
                log("rows of \(question.stream.name) can't be read: \(error)")
                return .failed
            }
        }
    }
}
