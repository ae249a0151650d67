/// A request and the place for its answer, which may come later. On the server's thread.
package final class HTTPExchange {
    package internal(set) var request: HTTPRequest
    /// Why the body is not kept.
    var refusal: HTTPResponse?
    /// Bytes that the body may have.
    let bodyLimit: Int
    /// Bytes that the body takes of the server's room for bodies.
    var reserved = 0
    /// When its body is there; nil once it is, or where there is none.
    var bodyDeadline: ContinuousClock.Instant?
    /// Bytes of a long answer that the connection was given; nil before its head was.
    var sentCount: Int?
    /// The body was not there in time.
    var isOverdue = false
    private(set) var response: HTTPResponse?
    /// It goes on as a stream of events instead of having an answer.
    private(set) var events: EventsOpening?
    /// Called when the answer is there; nil once the client is gone.
    var answered: (() -> Void)?
    let answer: Routes.Answer

    init(_ request: HTTPRequest, bodyLimit: Int, _ answer: @escaping Routes.Answer) {
        self.request = request
        self.bodyLimit = bodyLimit
        self.answer = answer
    }

    /// Frees the body's memory, which may be large, when the answer is still far.
    package func forgetBody() { request.body = [] }

    /// The first answer counts. Nobody may be there any more.
    package func respond(_ response: HTTPResponse) {
        guard !isAnswered else { return }
        self.response = response
        answered?()
    }

    /// Goes on as Server-Sent Events, of which the handler says the next as it does of a WebSocket.
    ///
    /// - Parameter opened: called once the head is written, unless the client has gone.
    package func openEvents(
        _ handler: any ConnectionHandler, headers: [String: String] = [:], opened: @escaping (ClientConnection) -> Void
    ) {
        guard !isAnswered else { return }
        events = EventsOpening(handler: handler, headers: headers, opened: opened)
        answered?()
    }

    /// The client has gone before it was answered.
    package internal(set) var isAbandoned = false

    var isAnswered: Bool { response != nil || events != nil }
}
