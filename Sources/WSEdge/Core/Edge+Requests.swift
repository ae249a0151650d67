import Common
import Feed
import Postgres

/// What clients ask for.
extension Edge {
    func serve(_ text: [UInt8], _ client: EdgeClient) {
        var id: Int64?
        do throws(RequestError) {
            let request = try ClientRequest.parse(text)
            id = request.id
            switch request.type {
            case "connect": connect(request, client)
            case _ where !client.hasConnected:
                throw RequestError(code: "not_connected", message: "the first message is 'connect'")
            case "subscribe": try subscribe(request, client)
            case "unsubscribe": try unsubscribe(request, client)
            case "publish", "update":
                throw RequestError(code: "unsupported", message: "this edge has no '\(request.type)' yet")
            default: throw RequestError(code: "bad_request", message: "there is no request '\(request.type)'")
            }
        } catch {
            client.reply(ServerMessage.error(id: id, error))
        }
    }

    private func connect(_ request: ClientRequest, _ client: EdgeClient) {
        client.hasConnected = true
        client.reply(ServerMessage.connected(id: request.id, limits))
    }

    private func unsubscribe(_ request: ClientRequest, _ client: EdgeClient) throws(RequestError) {
        guard let sub = request.sub, let subscription = client.subscriptions.removeValue(forKey: sub) else {
            throw RequestError(code: "bad_request", message: "'sub' is none of this connection's subscriptions")
        }
        subscription.feed.subscribers[client.id] = nil
        client.reply(ServerMessage.unsubscribed(id: request.id, sub: sub))
    }

    private func subscribe(_ request: ClientRequest, _ client: EdgeClient) throws(RequestError) {
        guard let name = request.stream, let feed = streams[name] else {
            throw RequestError(
                code: "unknown_stream",
                message: "no append stream '\(request.stream ?? "")' is followed here", retryAfter: 1000)
        }
        guard request.mode ?? "log" == "log", request.snapshot != true, request.filters.isEmpty else {
            throw RequestError(
                code: "unsupported", message: "this edge has whole logs only: no filter, no snapshot, no 'latest' yet")
        }
        guard client.subscriptions[feed.sub] == nil, !client.opening.contains(feed.sub) else {
            throw RequestError(code: "duplicate", message: "this connection is subscribed to \(name) already")
        }
        guard client.subscriptions.count + client.opening.count < limits.subscriptions else {
            throw RequestError(
                code: "limit", message: "a connection has at most \(limits.subscriptions) subscriptions")
        }
        guard let (epoch, position) = try request.start() else {
            return begin(client, feed, request.id, LogCursor(from: nil, in: feed.ring), recovered: false, reason: nil)
        }
        client.opening.insert(feed.sub)
        ask(client, feed, .state(request: request.id, epoch: epoch, position: position))
    }

    /// Goes on from a position, as far as it still can.
    func resume(
        _ client: EdgeClient, _ sub: Int, _ request: Int64, _ epoch: String, _ position: [SourceID: Int64],
        _ result: Result<StreamState, PostgresError>
    ) {
        client.opening.remove(sub)
        guard let feed = streams.values.first(where: { $0.sub == sub }), case .success(let state) = result,
            state.epoch == feed.opening.epoch
        else {
            let error = RequestError(
                code: "unavailable", message: "where the stream is can't be read now", retryAfter: 1000)
            return client.reply(ServerMessage.error(id: request, error))
        }
        guard epoch == state.epoch else {
            let cursor = LogCursor(from: nil, in: feed.ring)
            return begin(client, feed, request, cursor, recovered: false, reason: "epoch")
        }
        var start: [SourceID: Int64] = [:]
        var isLost = false
        for (source, known) in state.sources {
            // A source that is new to the client begins with its first offset.
            let own = position[source] ?? known.start
            isLost = isLost || own < known.retainedFrom && own < known.next
            start[source] = max(own, min(known.retainedFrom, known.next))
        }
        begin(
            client, feed, request, LogCursor(from: start, in: feed.ring), recovered: !isLost,
            reason: isLost ? "retention" : nil)
    }

    private func begin(
        _ client: EdgeClient, _ feed: StreamFeed, _ request: Int64, _ cursor: LogCursor, recovered: Bool,
        reason: String?
    ) {
        client.reply(
            ServerMessage.subscribed(
                id: request, sub: feed.sub, stream: feed.opening.stream.name, epoch: feed.opening.epoch,
                cursor.position, recovered: recovered, reason: reason))
        client.subscriptions[feed.sub] = .init(feed: feed, serial: nextSubscription, cursor: cursor)
        nextSubscription += 1
        feed.subscribers[client.id] = client
    }
}
