import Common
import Feed
import Postgres

/// How a subscription begins: now, with a state, or where another one was.
extension Edge {
    func subscribe(_ request: ClientRequest, _ id: RequestID, _ client: EdgeClient) throws(RequestError) {
        try begin(client, try plan(request, client.form, client.access), id)
    }

    /// What a client gets who asks so. Whatever it is answered on the way, it is asked for all of it first.
    func plan(
        _ request: ClientRequest, _ form: GroupKey.Form, _ access: Access
    ) throws(RequestError) -> SubscriptionPlan {
        try authorize(access, .subscribe, request.stream)
        let feed = try followed(request.stream)
        var key = GroupKey(form, try mode(request, feed.stream), try mandatoryFilter(access, feed.stream))
        if let filter = try filter(request, feed.stream, access) { key.filter = filter }
        try checkKeys(feed, key)
        let takesSnapshot = try takesSnapshot(request, feed.stream, key)
        let start: ResumeRequest.Start? =
            if let (epoch, position) = try request.start() {
                .position(position, epoch: epoch, takesSnapshot: takesSnapshot)
            } else {
                try last(request, feed.stream, key).map { .last($0) }
            }
        return SubscriptionPlan(feed: feed, key: key, start: start, takesSnapshot: takesSnapshot)
    }

    /// Another filter, such as the box of a map that was moved, from where the subscription is.
    func update(_ request: ClientRequest, _ id: RequestID, _ client: EdgeClient) throws(RequestError) {
        guard let sub = request.sub, let old = client.subscriptions[sub] else {
            throw Self.noSubscription
        }
        try authorize(client, .subscribe, old.feed.stream.name)
        var key = old.group.key
        if let filter = try filter(request, old.feed.stream, client.access) { key.filter = filter }
        if request.rate != nil { key.mode = try mode(request, old.feed.stream, isLatest: key.isLatest) }
        try checkKeys(old.feed, key)
        guard key != old.group.key else {
            throw RequestError(code: "duplicate", message: "the subscription has this filter already")
        }
        // Rows that the old filter kept out: the state has them.
        let takesSnapshot =
            hasState(old.feed.stream, key) && request.snapshot != false || old.snapshot != nil
        let start: ResumeRequest.Start? =
            takesSnapshot
            ? nil
            : .position([:], epoch: old.feed.opening.epoch, takesSnapshot: false)
        try begin(
            client, .init(feed: old.feed, key: key, start: start, takesSnapshot: takesSnapshot), id, replacing: sub)
    }

    static let noSubscription = RequestError(
        code: "bad_request", message: "'sub' is none of this connection's subscriptions")

    // MARK: What is asked for

    private func followed(_ name: String?) throws(RequestError) -> StreamFeed {
        guard let name, stored[name] != nil else { throw unknownStream(name) }
        if let error = unreadable[name] { throw error }
        guard let feed = streams[name] else {
            throw RequestError(
                code: "unavailable", message: "where the stream is has not been read yet", retryAfter: 500)
        }
        return feed
    }

    /// How long a client of events waits after it has lost its connection, in milliseconds.
    private static let eventRetry = 1000
    /// Of the rows with which a log begins, unless one is larger.
    private static let lastByteLimit = 1024 * 1024
    /// What is asked for, within what the client's token shows; nil where nothing is asked for.
    private func filter(
        _ request: ClientRequest, _ stream: StreamDefinition, _ access: Access
    ) throws(RequestError) -> RowFilter? {
        guard let asked = try request.filter?.filter(stream) else { return nil }
        return asked.and(try mandatoryFilter(access, stream))
    }

    private static let rates = [1, 2, 5, 10, 20]

    private func mode(
        _ request: ClientRequest, _ stream: StreamDefinition, isLatest: Bool = false
    ) throws(RequestError) -> GroupKey.Mode {
        switch request.mode ?? (isLatest ? "latest" : "log") {
        case "log":
            guard request.rate == nil else { throw Self.wrong("'max_hz' goes with the mode 'latest'") }
            return .log
        case "latest":
            guard !stream.key.isEmpty else {
                throw RequestError(
                    code: "unsupported", message: "\(stream.name) has no key, so there is no newest row of one")
            }
            let rate = request.rate ?? 10
            guard Self.rates.contains(rate) else { throw Self.wrong("'max_hz' is 1, 2, 5, 10 or 20") }
            return .latest(perSecond: rate)
        default: throw Self.wrong("'mode' is 'log' or 'latest'")
        }
    }

    /// Whether there is a table of one row a key for it.
    private func hasState(_ stream: StreamDefinition, _ key: GroupKey) -> Bool {
        stream.isKeyed || key.isLatest && stream.latest
    }

    private func takesSnapshot(
        _ request: ClientRequest, _ stream: StreamDefinition, _ key: GroupKey
    ) throws(RequestError) -> Bool {
        guard request.snapshot == true else { return false }
        guard hasState(stream, key) else {
            throw RequestError(
                code: "unsupported",
                message: stream.latest
                    ? "a log has no snapshot: 'last' rows of it, or the mode 'latest'"
                    : "\(stream.name) is a log without a table of newest rows: 'last' rows of it")
        }
        return true
    }

    private func last(
        _ request: ClientRequest, _ stream: StreamDefinition, _ key: GroupKey
    ) throws(RequestError) -> Int? {
        guard let last = request.last else { return nil }
        guard !stream.isKeyed, !key.isLatest else {
            throw RequestError(
                code: "unsupported", message: "'last' is for logs; a table of one row a key has a 'snapshot'")
        }
        guard (1...limits.lastRows).contains(last) else { throw Self.wrong("'last' is 1 to \(limits.lastRows)") }
        return last
    }

    private static func wrong(_ message: String) -> RequestError { RequestError(code: "bad_request", message: message) }

    // MARK: Beginning

    func begin(
        _ client: EdgeClient, _ plan: SubscriptionPlan, _ id: RequestID, replacing: Int? = nil
    ) throws(RequestError) {
        let (feed, key) = (plan.feed, plan.key)
        let name = feed.stream.name
        let opening = EdgeClient.Opening(stream: name, key: key)
        guard !client.opening.contains(opening), feed.groups[key]?.subscribers[client.id] == nil else {
            throw RequestError(code: "duplicate", message: "this connection has this subscription to \(name) already")
        }
        let count = client.subscriptions.count + client.opening.count - (replacing == nil ? 0 : 1)
        guard count < limits.subscriptions else {
            throw RequestError(code: "limit", message: "a connection has at most \(limits.subscriptions) subscriptions")
        }
        // From here on rows that leave the filter are known.
        watchKeys(feed, key, client, opening) { [weak self, weak client] error in
            guard let self, let client, !client.isClosing else { return }
            client.opening.remove(opening)
            if let error { return refuse(client, id, error) }
            guard streams[name] === feed else { return refuse(client, id, .notRead) }
            guard let start = plan.start else {
                let group = group(feed, key)
                let snapshot = plan.takesSnapshot ? self.snapshot(feed, key) : nil
                let cursor = LogCursor(from: snapshot?.start, in: group.log.ring, now: feed.position)
                return enter(
                    client, feed, group, id, cursor, snapshot, (recovered: false, reason: nil), replacing: replacing)
            }
            client.opening.insert(opening)
            ask(
                .init(
                    client: client.id, request: id, stream: name, opening: feed.opening.number, key: key,
                    replacing: replacing, start: start), feed)
        }
    }

    private func refuse(_ client: EdgeClient, _ id: RequestID, _ error: RequestError) {
        client.refuse(ServerMessage.error(id: id, error), error)
    }

    private func snapshot(_ feed: StreamFeed, _ key: GroupKey) -> Snapshot {
        snapshots.begin(
            feed.stream.name, .init(isLatest: key.isLatest, filter: key.filter), at: feed.position)
    }

    private func ask(_ asked: ResumeRequest, _ feed: StreamFeed) {
        let stored = feed.opening.stored
        let threads = if case .last = asked.start { pageThreads } else { self.threads }
        threads.ask { [inbox] readers in
            switch asked.start {
            case .position:
                let result = Result { () throws(PostgresError) in try readers[stored].readableState() }
                inbox.put(.state(asked, result))
            case .last(let count):
                let request = RowPage.Request(
                    isLatest: false, limit: count, filter: asked.key.filter, byteLimit: Self.lastByteLimit)
                let result = Result { () throws(PostgresError) in try readers[stored].page(request) }
                inbox.put(.newest(asked, result))
            }
        }
    }

    /// Goes on from a position, as far as it still can.
    func resume(_ asked: ResumeRequest, _ result: Result<StreamState, PostgresError>) {
        guard case .position(let given, let epoch, let takesSnapshot) = asked.start,
            let (client, feed) = waiting(asked, result), case .success(let state) = result
        else { return }
        // One that takes the place of another goes on where that one is by now.
        let position = asked.replacing.flatMap { client.subscriptions[$0]?.sentPosition } ?? given
        let group = group(feed, asked.key)
        var start: [SourceID: Int64] = [:]
        var isLost = false
        for (source, known) in state.sources {
            // A source that is new to the client begins with its first offset.
            let own = position[source] ?? known.start
            isLost = isLost || own < known.retainedFrom && own < known.next
            start[source] = max(own, min(known.retainedFrom, known.next))
        }
        let reason = epoch != state.epoch ? "epoch" : isLost ? "retention" : nil
        // What was lost of a table's changes is in its state; what was lost of a log is lost.
        let needsState = reason != nil && hasState(feed.stream, asked.key)
        let snapshot = needsState && takesSnapshot ? self.snapshot(feed, asked.key) : nil
        let from = snapshot?.start ?? (reason == "epoch" || needsState ? nil : start)
        enter(
            client, feed, group, asked.request, LogCursor(from: from, in: group.log.ring, now: feed.position), snapshot,
            (recovered: reason == nil, reason: reason), replacing: asked.replacing)
    }

    /// Begins with the newest rows of a log.
    func begin(_ asked: ResumeRequest, _ result: Result<RowPage, PostgresError>) {
        guard let (client, feed) = waiting(asked, result), case .success(let page) = result else { return }
        let group = group(feed, asked.key)
        let cursor = LogCursor(from: page.position, in: group.log.ring, now: feed.position)
        enter(
            client, feed, group, asked.request, cursor, nil, (recovered: false, reason: nil),
            replacing: asked.replacing, isFollowedByRows: true)
        let rows = page.rows.map {
            FeedMessage.Row(source: SourceID(rawValue: 0), offset: 0, version: 0, deleted: false, json: $0)
        }
        client.reply(
            ServerMessage.snapshot(sub: group.sub, .init(rows: rows[...], keyed: nil), more: false),
            id: .init(epoch: feed.opening.epoch, position: cursor.position))
    }

    /// Who asked, if what was read is of the stream as it is followed now; else the client is told.
    private func waiting<Answer>(
        _ asked: ResumeRequest, _ result: Result<Answer, PostgresError>
    ) -> (EdgeClient, StreamFeed)? {
        guard let client = clients[asked.client], !client.isClosing else { return nil }
        client.opening.remove(.init(stream: asked.stream, key: asked.key))
        if case .failure(let error) = result, error.isLasting {
            refuse(client, asked.request, .unreadable(asked.stream, error))
            return nil
        }
        // Rows that leave its filter may have been forgotten meanwhile.
        guard let feed = streams[asked.stream], case .success = result, feed.opening.number == asked.opening,
            !asked.key.watchesKeys(feed.stream) || feed.rows?.isComplete == true
        else {
            refuse(client, asked.request, .notRead)
            return nil
        }
        return (client, feed)
    }

    private func enter(
        _ client: EdgeClient, _ feed: StreamFeed, _ group: Group, _ id: RequestID, _ cursor: LogCursor,
        _ snapshot: Snapshot?, _ outcome: (recovered: Bool, reason: String?), replacing: Int?,
        isFollowedByRows: Bool = false
    ) {
        if let replacing {
            guard let old = client.subscriptions.removeValue(forKey: replacing) else {
                feed.remove(group)
                return client.reply(ServerMessage.error(id: id, Self.noSubscription))
            }
            leave(client, old)
        }
        let position = snapshot?.start ?? cursor.position
        // Who loses the connection before it has the state, or the rows, asks for them again.
        let hasAll = snapshot == nil && !isFollowedByRows
        client.reply(
            ServerMessage.subscribed(
                id: id, sub: group.sub, stream: feed.stream.name, epoch: feed.opening.epoch, position,
                recovered: outcome.recovered, reason: outcome.reason),
            id: hasAll ? .init(epoch: feed.opening.epoch, position: position) : nil, retryAfter: Self.eventRetry)
        join(client, feed, group, cursor, snapshot)
    }
}
