import Common
import Feed
import Foundation
import Postgres
import WebServer

/// `GET /v1/streams/S/rows`.
extension Edge {
    /// A request that waits for its rows.
    struct WaitingPage {
        let exchange: HTTPExchange
        let stream: String
        let read: ReaderThreads.Job
    }

    func sendRows(_ exchange: HTTPExchange) {
        let name = exchange.request.parameters[0]
        do throws(RequestError) {
            let access = try authorize(exchange, .subscribe, name)
            guard let stored = stored[name] else { throw unknownStream(name) }
            let request = try RowsRequest(
                exchange.request, stored.stream, within: try mandatoryFilter(access, stored.stream))
            pages = pages.filter { !$0.value.exchange.isAbandoned }
            guard pages.count < limits.pages else {
                throw RequestError(code: "overloaded", message: "too many ask for rows now", retryAfter: 1000)
            }
            let number = nextPage
            nextPage += 1
            pages[number] = WaitingPage(exchange: exchange, stream: name) { [inbox] readers in
                inbox.put(
                    .page(
                        number,
                        Result { () throws(PostgresError) in
                            request.format.response(try readers[stored].page(request.page), stored.stream)
                        }))
            }
            readNextPage()
        } catch {
            exchange.respond(Self.refusal(Self.status(error), error))
        }
    }

    /// One after another; who has gone away meanwhile is read nothing.
    private func readNextPage() {
        guard readPage == nil else { return }
        pages = pages.filter { !$0.value.exchange.isAbandoned }
        guard let next = pages.min(by: { $0.key < $1.key }) else { return }
        readPage = next.key
        pageThreads.ask(next.value.read)
    }

    func answerPage(_ number: UInt64, _ result: Result<HTTPResponse, PostgresError>) {
        readPage = nil
        defer { readNextPage() }
        guard let waiting = pages.removeValue(forKey: number) else { return }
        switch result {
        case .success(let response): waiting.exchange.respond(response)
        case .failure(let error):
            Log.standard.say("rows can't be read: \(error)", .warning)
            let told =
                error.isLasting
                ? RequestError.unreadable(waiting.stream, error)
                : RequestError(code: "unavailable", message: "rows can't be read now", retryAfter: 1000)
            waiting.exchange.respond(Self.refusal(503, told))
        }
    }
}
