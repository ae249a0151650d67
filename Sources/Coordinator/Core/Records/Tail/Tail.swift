import Common
import Feed
import Foundation
import Postgres
import Schema
import ZeroMQ

/// Follows an append stream as an edge does: each committed row once, in the order of its source. Blocking.
package struct Tail: ~Copyable {
    package enum Origin: Sendable, Equatable {
        case now
        /// All that is stored.
        case earliest
        /// So many rows back.
        case rows(Int)
    }

    private let client: ControlClient
    private let stream: String
    private let origin: Origin

    private static let askInterval = Duration.seconds(1)
    private static let retryInterval = Duration.milliseconds(500)
    package static let rowLimit = 10_000

    package init(_ stream: String, from origin: Origin, of client: consuming ControlClient) {
        self.client = client
        self.stream = stream
        self.origin = origin
    }

    /// Until `isFinished`, or for ever. What is not there now (a worker, Postgres, the coordinator) is waited for.
    /// - Parameter print: gets each row's canonical JSON.
    package func run(_ print: ([UInt8]) -> Void, until isFinished: () -> Bool = { false }) throws {
        let configuration = try feeds()
        guard let definition = configuration.streams.first(where: { $0.name == stream }) else {
            let known = configuration.streams.map(\.name).joined(separator: ", ")
            throw StartError("there is no stream '\(stream)'; there are: \(known)", .usage)
        }
        guard definition.mode == .append else {
            throw StartError("tail follows append streams, and \(stream) is keyed", .usage)
        }
        let stored = StoredStream(
            definition, schema: MillraceSchema(name: configuration.schema), database: configuration.postgres ?? [:])
        let reader = ReplayReader(stored)
        let start = try beginning(reader, print)
        let subscription = FeedSubscription(stored, credentials: nil, in: Context(), from: start)
        // Of other hosts of a group.
        let own = try configuration.secretKey.map { try CurveKeyPair(secretKey: CurveSecretKey($0)) }
        try subscription.connect(configuration.feeds, own: own, at: .now)
        var nextQuestion = ContinuousClock.now
        func deliver(_ delivery: FeedDelivery) {
            if !delivery.lost.isEmpty {
                Log.standard.say("rows were deleted before they could be read", .warning)
            }
            for row in delivery.rows { print(row.json) }
        }
        while !isFinished() {
            let now = ContinuousClock.now
            var isReading = false
            if let question = subscription.question(at: now) {
                isReading = true
                do throws(PostgresError) {
                    let isFirst = subscription.epoch == nil
                    if subscription.take(try reader.answer(question), at: now, deliver), !isFirst {
                        throw PostgresError(operation: "tail", sqlState: "", message: "the stream was reset")
                    }
                } catch {
                    guard error.disposition == .outage else { throw StartError("Postgres: \(error)", .unavailable) }
                    subscription.failed(until: now + Self.retryInterval)
                }
            }
            var poller = Poller()
            subscription.add(to: &poller)
            try poller.wait(isReading ? .zero : max(.zero, nextQuestion - .now))
            try subscription.receive(at: .now, deliver)
            guard nextQuestion <= .now else { continue }
            nextQuestion = .now + Self.askInterval
            // A coordinator that is away comes back, and its workers have other feeds.
            if let new = try? feeds() { try subscription.connect(new.feeds, own: own, at: .now) }
        }
    }

    /// Prints what is asked for of the past, and says where to go on.
    private func beginning(
        _ reader: ReplayReader, _ print: ([UInt8]) -> Void
    ) throws(StartError) -> ((StreamState) -> [SourceID: Int64])? {
        switch origin {
        case .now: return nil
        case .earliest:
            return { state in state.sources.mapValues { min(max($0.start, $0.retainedFrom), $0.next) } }
        case .rows(let count):
            do throws(PostgresError) {
                let page = try reader.page(.init(isLatest: false, limit: count))
                for row in page.rows { print(row) }
                return { _ in page.position }
            } catch {
                throw StartError("Postgres: \(error)", .unavailable)
            }
        }
    }

    private func feeds() throws -> EdgeConfiguration {
        guard case .feeds(let configuration) = try client.ask(.feeds) else {
            throw StartError("the coordinator is of another version", .unavailable)
        }
        return configuration
    }
}
