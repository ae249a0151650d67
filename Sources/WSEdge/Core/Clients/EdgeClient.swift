import Common
import WebServer

/// A client's connection with what it is subscribed to. Belongs to the server's thread.
final class EdgeClient {
    struct Subscription {
        let feed: StreamFeed
        let group: Group
        /// No other subscription of this edge has it: what was read for an earlier one of the same group is told by it.
        let serial: UInt64
        var cursor: LogCursor
        /// Comes before the log, from where it goes on then.
        var snapshot: Snapshot?
        /// What was read for it and not sent yet.
        var reading: Reading?
        var sentAt = ContinuousClock.now

        /// Whether something may be there to be sent at once; after all that is, it has to be said when something comes.
        var mayHaveMore: Bool {
            reading != nil || snapshot != nil || !cursor.isAtEnd(group.log.ring.next)
        }

        /// The next offset of each source, of what the client has been sent.
        var sentPosition: [SourceID: Int64] {
            var position = cursor.position
            if case .rows(let span, _)? = reading?.content { position[span.source] = span.from }
            return position
        }
    }

    let id: UInt64
    let connection: ClientConnection
    let form: GroupKey.Form
    let openedAt = ContinuousClock.now
    var hasConnected = false
    /// Who it is, as its newest token says.
    var access = Access.nobody
    var isClosing = false
    private(set) var isEnded = false
    /// Answers to what it asked: first to be sent.
    private(set) var replies: [[UInt8]] = []
    private(set) var replyByteCount = 0
    /// Records of its that Kafka has not acknowledged.
    var publishing = 0
    /// By number of the group.
    var subscriptions: [Int: Subscription] = [:]
    /// Subscriptions whose answer is still to come.
    var opening: Set<Opening> = []

    struct Opening: Hashable {
        let stream: String
        let key: GroupKey
    }

    init(id: UInt64, _ connection: ClientConnection) {
        self.id = id
        self.connection = connection
        form = connection.framing == .events ? .events : connection.subprotocol == nil ? .plain : .messages
    }

    /// Its connection is gone: what it had is let go, whoever still waits on its behalf.
    func ended() {
        (isClosing, isEnded) = (true, true)
        subscriptions = [:]
        opening = []
        _ = takeReplies()
    }

    var mayHaveMore: Bool {
        !replies.isEmpty || subscriptions.values.contains(where: \.mayHaveMore)
            || form == .events && subscriptions.isEmpty
    }

    func takeReplies() -> FrameBuffer {
        defer { (replies, replyByteCount) = ([], 0) }
        return form == .events ? FrameBuffer(events: Array(replies.joined())) : FrameBuffer(texts: replies)
    }

    /// It speaks no protocol: each message of its is a record, each message to it a row.
    var isPlain: Bool { form == .plain }

    /// - Parameters:
    ///   - id: for a client of events, where it is with the message.
    ///   - retryAfter: for a client of events, how many milliseconds it waits when it has lost its connection.
    func reply(_ message: [UInt8], id: EventID? = nil, retryAfter: Int? = nil) {
        guard !isEnded else { return }
        var message = message
        if form == .events {
            var text = EventText()
            if let retryAfter { text.add(retryAfter: retryAfter) }
            text.add(message, id: id?.text)
            message = text.bytes
        }
        replies.append(message)
        replyByteCount += message.count
        connection.requestWrite()
    }

    /// What it asked for, or a subscription of its, is not to be had.
    func refuse(_ message: [UInt8], _ error: RequestError) {
        reply(message, retryAfter: error.retryAfter ?? Self.lastingRetryAfter)
    }

    /// Browsers ask again whatever they are told, so after long where it is in vain. Milliseconds.
    static let lastingRetryAfter = 30_000

    func close(_ code: UInt16, _ reason: String) {
        isClosing = true
        connection.close(code, reason)
    }
}
