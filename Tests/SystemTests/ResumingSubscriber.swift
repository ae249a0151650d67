import Common
import Schema
import TestSupport
import WSEdgeCore
import ZeroMQ

/// What a client sees whose edge is lost again and again: it keeps its position, and hands it to the next edge.
///
/// Each life is a feed subscription of its own, left without a word. Used from one thread.
struct ResumingSubscriber: ~Copyable {
    private let stream: StreamDefinition
    private let database: [String: String]
    private let endpoints: [String]
    private var subscription: FeedSubscription?
    private(set) var position: [SourceID: Int64] = [:]
    /// `source|offset` of each row, in the order in which they came.
    private(set) var seen: [String] = []
    private(set) var lost: [FeedMessage.Span] = []
    private(set) var lives = 0
    private(set) var repairs = 0

    init(_ stream: StreamDefinition, database: [String: String], endpoints: [String]) {
        self.stream = stream
        self.database = database
        self.endpoints = endpoints
        subscription = nil
    }

    /// Ends the subscription, if there is one: what was on its way is gone.
    mutating func lose() {
        if let old = subscription.take() { repairs += old.repairCount }
    }

    /// Takes what has come, and reads a piece of what is missing. Errors are Postgres being away, and cost nothing.
    /// False when nothing was missing.
    mutating func turn(polls: Bool = false) throws -> Bool {
        var current = try begin()
        var deliveries: [FeedDelivery] = []
        let result = Result {
            try current.receive { deliveries.append($0) }
            if polls { try current.poll { deliveries.append($0) } }
            return try current.repair { deliveries.append($0) }
        }
        subscription = consume current
        for delivery in deliveries {
            seen += delivery.rows.map { "\($0.source)|\($0.offset)" }
            lost += delivery.lost
            position.merge(delivery.position) { $1 }
        }
        return try result.get()
    }

    private mutating func begin() throws -> FeedSubscription {
        if let kept = subscription.take() { return kept }
        let new = try FeedSubscription(
            stream, schema: MillraceSchema(), database: database, endpoints: endpoints, from: position, in: Context())
        lives += 1
        return new
    }
}
