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
        /// What was read for it and not sent yet.
        var reading: Reading?
        var sentAt = ContinuousClock.now
    }

    let id: UInt64
    let connection: WebSocketConnection
    let openedAt = ContinuousClock.now
    var hasConnected = false
    /// Who it is, as its newest token says.
    var access = Access.nobody
    var isClosing = false
    /// Answers to what it asked: first to be sent.
    var replies: [[UInt8]] = []
    /// Records of its that Kafka has not acknowledged.
    var publishing = 0
    /// By number of the group.
    var subscriptions: [Int: Subscription] = [:]
    /// Subscriptions whose answer is still to come, by number of the group.
    var opening: Set<Int> = []

    init(id: UInt64, _ connection: WebSocketConnection) {
        self.id = id
        self.connection = connection
    }

    /// It speaks no protocol: each message of its is a record, each message to it a row.
    var isPlain: Bool { connection.subprotocol == nil }

    func reply(_ message: [UInt8]) {
        replies.append(message)
        connection.requestWrite()
    }

    func close(_ code: UInt16, _ reason: String) {
        isClosing = true
        connection.close(code, reason)
    }
}
