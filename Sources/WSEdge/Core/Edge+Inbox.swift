import Common
import Feed
import Postgres
import WebServer

/// What other threads tell.
extension Edge {
    func woken() {
        let now = ContinuousClock.now
        guard pace.due <= now else { return turns.set(pace.due) }
        pace.begin(at: now)
        // Rows that came since the last turn go out together: one write a client.
        var pending: (feed: StreamFeed, entry: StreamRing.Entry)?
        var byteCount = 0
        func flush() {
            if let next = pending {
                next.feed.deliver(next.entry)
                logMoved(next.feed, to: next.entry.position)
            }
            pending = nil
        }
        for item in inbox.takeAll() {
            if case .delivered(let stream, let number, let entry) = item {
                guard let feed = streams[stream], feed.opening.number == number else { continue }
                // Not without end: who has a part of an entry is sent the rest in a buffer of its own.
                if pending?.feed !== feed || byteCount > Self.entryByteLimit {
                    flush()
                    (pending, byteCount) = ((feed, entry), 0)
                } else {
                    pending?.entry.rows += entry.rows
                    pending?.entry.position.merge(entry.position) { $1 }
                    if entry.isRead { pending?.entry.isRead = true }
                }
                byteCount += entry.byteCount
            } else {
                flush()
                take(item)
            }
        }
        flush()
        takeTurns()
        if knowsFleet { accept() }
    }

    /// Whether it can answer for every stream.
    private var knowsFleet: Bool {
        !stored.isEmpty && stored.keys.allSatisfy { streams[$0] != nil || unreadable[$0] != nil }
    }

    /// Clients that come before an edge knows its fleet wait for that, a moment: who can't be answered yet is told to come again
    /// only where the fleet is not there.
    func accept() {
        if let server, !server.isAccepting { server.isAccepting = true }
    }

    /// What was taken is written to all who could take it.
    func turned() {
        if pace.isUnderWay { pace.end(at: .now) }
    }

    private static let entryByteLimit = 256 * 1024

    private func take(_ item: EdgeInbox.Item) {
        switch item {
        case .delivered: break
        case .began(let opening): begin(opening)
        case .sources(let stream, let number, let sources):
            guard let feed = streams[stream], feed.opening.number == number else { return }
            feed.sources = StreamFeed.places(sources)
        case .configured(let all, let kafka):
            stored = Dictionary(all.map { ($0.stream.name, $0) }) { $1 }
            unreadable = unreadable.filter { stored[$0.key] != nil }
            keyReaders = [:]
            use(kafka: kafka)
        case .lost(let stream, let number): tellLost(stream, number)
        case .unreadable(let stream, let error):
            let told = RequestError.unreadable(stream, error)
            unreadable[stream] = told
            for group in Array(streams[stream]?.groups.values ?? [:].values) {
                for client in Array(group.subscribers.values) { end(client, group.sub, told) }
            }
        case .readable(let stream): unreadable[stream] = nil
        case .state(let asked, let result): resume(asked, result)
        case .newest(let asked, let result): begin(asked, result)
        case .read(let key, let answer): take(key, answer)
        case .keyedRows(let stream, let number, let request, let result): take(stream, number, request, result)
        case .page(let number, let result): answerPage(number, result)
        case .log(let key, let result): answerLog(key, result)
        case .access(let event): access.take(event)
        case .certificates: reloadCertificate()
        case .health(let isHeard): self.isHeard = isHeard
        case .drain: drain()
        }
    }

    private func begin(_ opening: StreamFeed.Opening) {
        let name = opening.stored.stream.name
        let old = streams[name]
        let share = limits.ringByteCount / max(1, streams.count + (old == nil ? 1 : 0))
        let feed = StreamFeed(opening, ringByteLimit: share)
        streams[name] = feed
        for other in streams.values where other.ringByteLimit != share { other.ringByteLimit = share }
        if let old { readings.forget(old.opening) }
        snapshots.forget(name)
        logBegan(name)
        if let old { forgetKeys(of: old) }
        for group in old?.groups.values ?? [:].values {
            for client in group.subscribers.values {
                if let ended = client.subscriptions.removeValue(forKey: group.sub) { serials.remove(ended.serial) }
                // Those without a protocol can't be told, and have no position that could have lost its meaning.
                if client.isPlain {
                    followPlain(client, feed)
                } else {
                    client.reply(ServerMessage.reset(sub: group.sub, reason: "epoch"))
                }
            }
        }
        if old == nil {
            for client in clients.values where client.isPlain && client.connection.query["subscribe"] == name {
                followPlain(client, feed)
            }
        }
    }

    /// The edge itself was away for longer than rows are kept: those who read from Postgres notice by themselves.
    private func tellLost(_ stream: String, _ number: Int) {
        guard let feed = streams[stream], feed.opening.number == number else { return }
        forgetKeys(of: feed)
        for group in feed.groups.values where group.key.form != .plain {
            for client in group.subscribers.values
            where client.subscriptions[group.sub]?.cursor.isBehind == false {
                client.reply(ServerMessage.reset(sub: group.sub, reason: "retention"))
            }
        }
    }

    private func take(_ key: Reading.Key, _ answer: Readings.Answer) {
        if case .failure(let error) = answer {
            Log.standard.say("rows of \(key.opening.stored.stream.name) can't be read: \(error)", .warning)
        }
        guard let (outcome, subscribers) = readings.take(key, answer) else { return }
        for subscriber in subscribers {
            guard let client = clients[subscriber.client], !client.isClosing,
                client.subscriptions[subscriber.sub]?.serial == subscriber.serial
            else { continue }
            switch outcome {
            case .read(let reading):
                take(reading, client, &client.subscriptions[subscriber.sub]!)
                client.connection.requestWrite()
            case .failed(let error): end(client, subscriber.sub, .unreadable(key.opening.stored.stream.name, error))
            }
        }
    }

    /// Ends a subscription whose rows can't be read, and says why.
    func end(_ client: EdgeClient, _ sub: Int, _ error: RequestError) {
        if let subscription = client.subscriptions.removeValue(forKey: sub) { leave(client, subscription) }
        guard !client.isPlain else { return client.close(1011, error.message) }
        client.refuse(ServerMessage.ended(sub: sub, error), error)
    }
}
