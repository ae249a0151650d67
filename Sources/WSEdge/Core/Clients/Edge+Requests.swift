import Common
import Feed
import Foundation
import Postgres

/// What clients ask for.
extension Edge {
    func serve(_ text: [UInt8], _ client: EdgeClient) {
        var id: RequestID?
        do throws(RequestError) {
            let (request, known) = try ClientRequest.parse(text, &id)
            switch request.type {
            case "connect": try connect(request, known, client)
            case _ where !client.hasConnected:
                throw RequestError(code: "not_connected", message: "the first message is 'connect'")
            case "subscribe": try subscribe(request, known, client)
            case "unsubscribe": try unsubscribe(request, known, client)
            case "publish": try publish(request, known, text, client)
            case "update": throw RequestError(code: "unsupported", message: "this edge has no 'update' yet")
            default: throw RequestError(code: "bad_request", message: "there is no request '\(request.type)'")
            }
        } catch {
            client.reply(ServerMessage.error(id: id, error))
        }
    }

    private func publish(
        _ request: ClientRequest, _ id: RequestID, _ text: [UInt8], _ client: EdgeClient
    ) throws(RequestError) {
        try authorize(client, .publish, request.stream)
        let stream = try publishable(request.stream)
        guard let data = JSONText(text).member("data") else {
            throw RequestError(code: "bad_request", message: "'data' is the record, a JSON object")
        }
        guard client.publishing < limits.publishing else {
            throw RequestError(
                code: "overloaded", message: "at most \(limits.publishing) records of a connection wait for Kafka",
                retryAfter: 500)
        }
        client.publishing += 1
        publish(data, key: request.key.map { Array($0.utf8) }, to: stream, by: client.access) { [weak client] result in
            guard let client else { return }
            client.publishing -= 1
            switch result {
            case .success(let place): client.reply(ServerMessage.acknowledged(id: id, place))
            case .failure(let error): client.reply(ServerMessage.error(id: id, error))
            }
        }
    }

    func unknownStream(_ name: String?) -> RequestError {
        guard !stored.isEmpty else {
            return RequestError(
                code: "unavailable", message: "this edge has not heard of the fleet's streams yet", retryAfter: 1000)
        }
        let name = name.map { String($0.prefix(100)) } ?? ""
        let near = NearNames.of(name, among: stored.keys)
        let known = near.isEmpty ? stored.keys.sorted().prefix(20).map { $0 } : near
        let which = near.isEmpty ? "there are" : "did you mean"
        return RequestError(
            code: "unknown_stream", message: "there is no stream '\(name)'; \(which): \(known.joined(separator: ", "))")
    }

    private func unsubscribe(
        _ request: ClientRequest, _ id: RequestID, _ client: EdgeClient
    ) throws(RequestError) {
        guard let sub = request.sub, let subscription = client.subscriptions.removeValue(forKey: sub) else {
            throw RequestError(code: "bad_request", message: "'sub' is none of this connection's subscriptions")
        }
        subscription.group.subscribers[client.id] = nil
        client.reply(ServerMessage.unsubscribed(id: id, sub: sub))
    }

    private func subscribe(_ request: ClientRequest, _ id: RequestID, _ client: EdgeClient) throws(RequestError) {
        try authorize(client, .subscribe, request.stream)
        guard let name = request.stream, let stored = stored[name] else { throw unknownStream(request.stream) }
        guard stored.stream.mode == .append else {
            throw RequestError(code: "unsupported", message: "this edge follows append streams only, \(name) is keyed")
        }
        guard let feed = streams[name] else {
            if let error = unreadable[name] { throw error }
            throw RequestError(
                code: "unavailable", message: "where the stream is has not been read yet", retryAfter: 500)
        }
        if let error = unreadable[name] { throw error }
        guard request.mode ?? "log" == "log", request.snapshot != true, request.filters.isEmpty else {
            throw RequestError(
                code: "unsupported", message: "this edge has whole logs only: no filter, no snapshot, no 'latest' yet")
        }
        guard client.subscriptions[feed.log.sub] == nil, !client.opening.contains(feed.log.sub) else {
            throw RequestError(code: "duplicate", message: "this connection is subscribed to \(name) already")
        }
        guard client.subscriptions.count + client.opening.count < limits.subscriptions else {
            throw RequestError(
                code: "limit", message: "a connection has at most \(limits.subscriptions) subscriptions")
        }
        guard let (epoch, position) = try request.start() else {
            return begin(
                client, feed, id, LogCursor(from: nil, in: feed.ring), recovered: false, reason: nil)
        }
        client.opening.insert(feed.log.sub)
        let asked = ResumeRequest(request: id, epoch: epoch, position: position)
        let (number, sub, place) = (client.id, feed.log.sub, feed.opening.stored)
        threads.ask { [inbox] readers in
            let result = Result { () throws(PostgresError) in try readers[place].readableState() }
            inbox.put(.state(client: number, sub: sub, asked, result))
        }
    }

    /// Goes on from a position, as far as it still can.
    func resume(
        _ client: EdgeClient, _ sub: Int, _ asked: ResumeRequest, _ result: Result<StreamState, PostgresError>
    ) {
        client.opening.remove(sub)
        let feed = streams.values.first { $0.log.sub == sub }
        if let feed, case .failure(let error) = result, error.isLasting {
            return client.reply(ServerMessage.error(id: asked.request, .unreadable(feed.stream.name, error)))
        }
        guard let feed, case .success(let state) = result, state.epoch == feed.opening.epoch else {
            let error = RequestError(
                code: "unavailable", message: "where the stream is can't be read now", retryAfter: 1000)
            return client.reply(ServerMessage.error(id: asked.request, error))
        }
        guard asked.epoch == state.epoch else {
            let cursor = LogCursor(from: nil, in: feed.ring)
            return begin(client, feed, asked.request, cursor, recovered: false, reason: "epoch")
        }
        var start: [SourceID: Int64] = [:]
        var isLost = false
        for (source, known) in state.sources {
            // A source that is new to the client begins with its first offset.
            let own = asked.position[source] ?? known.start
            isLost = isLost || own < known.retainedFrom && own < known.next
            start[source] = max(own, min(known.retainedFrom, known.next))
        }
        begin(
            client, feed, asked.request, LogCursor(from: start, in: feed.ring), recovered: !isLost,
            reason: isLost ? "retention" : nil)
    }

    private func begin(
        _ client: EdgeClient, _ feed: StreamFeed, _ request: RequestID, _ cursor: LogCursor, recovered: Bool,
        reason: String?
    ) {
        client.reply(
            ServerMessage.subscribed(
                id: request, sub: feed.log.sub, stream: feed.stream.name, epoch: feed.opening.epoch,
                cursor.position, recovered: recovered, reason: reason))
        client.subscriptions[feed.log.sub] = .init(
            feed: feed, group: feed.log, serial: nextSubscription, cursor: cursor)
        nextSubscription += 1
        feed.log.subscribers[client.id] = client
    }
}
