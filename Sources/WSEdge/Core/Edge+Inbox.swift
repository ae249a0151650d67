import Common
import Feed
import Postgres
import WebServer

/// What other threads tell.
extension Edge {
    func woken() {
        // Rows that came since the last turn go out together: one write a client.
        var pending: (feed: StreamFeed, rows: [FeedMessage.Row], position: [SourceID: Int64])?
        func flush() {
            if let next = pending { next.feed.deliver(next.rows, position: next.position) }
            pending = nil
        }
        for item in inbox.takeAll() {
            if case .delivered(let stream, let sub, let rows, let position) = item {
                guard let feed = streams[stream], feed.log.sub == sub else { continue }
                if pending?.feed !== feed {
                    flush()
                    pending = (feed, rows, position)
                } else {
                    pending?.rows += rows
                    pending?.position.merge(position) { $1 }
                }
            } else {
                flush()
                take(item)
            }
        }
        flush()
    }

    private func take(_ item: EdgeInbox.Item) {
        switch item {
        case .delivered: break
        case .began(let opening): begin(opening)
        case .sources(let stream, let sub, let sources):
            guard let feed = streams[stream], feed.log.sub == sub else { return }
            feed.sources = StreamFeed.places(sources)
        case .configured(let all, let kafka):
            stored = Dictionary(all.map { ($0.stream.name, $0) }) { $1 }
            unreadable = unreadable.filter { stored[$0.key] != nil }
            keyReaders = [:]
            use(kafka: kafka)
        case .lost(let stream, let sub): tellLost(stream, sub)
        case .unreadable(let stream, let error):
            let told = RequestError.unreadable(stream, error)
            unreadable[stream] = told
            for group in streams[stream]?.groups ?? [] {
                for client in Array(group.subscribers.values) { end(client, group.sub, told) }
            }
        case .readable(let stream): unreadable[stream] = nil
        case .state(let client, let sub, let request, let result):
            guard let client = clients[client], !client.isClosing else { return }
            resume(client, sub, request, result)
        case .read(let key, let span, let answer): take(key, span, answer)
        case .page(let number, let result): answerPage(number, result)
        case .access(let event): access.take(event)
        case .certificates: reloadCertificate()
        case .health(let isHeard): self.isHeard = isHeard
        case .drain: drain()
        }
    }

    private func begin(_ opening: StreamFeed.Opening) {
        let name = opening.stored.stream.name
        let old = streams[name]
        let feed = StreamFeed(opening)
        streams[name] = feed
        readings.forget(opening.stored)
        for group in old?.groups ?? [] {
            for client in group.subscribers.values {
                client.subscriptions[group.sub] = nil
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
    private func tellLost(_ stream: String, _ sub: Int) {
        guard let feed = streams[stream], feed.log.sub == sub else { return }
        for client in feed.log.subscribers.values where client.subscriptions[sub]?.cursor.isBehind == false {
            client.reply(ServerMessage.reset(sub: sub, reason: "retention"))
        }
    }

    private func take(_ key: Reading.Key, _ span: FeedMessage.Span, _ answer: Readings.Answer) {
        if case .failure(let error) = answer {
            Log.standard.say(
                "rows of \(key.stored.stream.name) can't be read: \(error)", .warning, source: key.source.rawValue)
        }
        guard let (outcome, subscribers) = readings.take(key, span, answer) else { return }
        for subscriber in subscribers {
            guard let client = clients[subscriber.client], !client.isClosing,
                client.subscriptions[subscriber.sub]?.serial == subscriber.serial
            else { continue }
            switch outcome {
            case .read(let reading):
                take(reading, client, &client.subscriptions[subscriber.sub]!)
                client.connection.requestWrite()
            case .failed(let error): end(client, subscriber.sub, .unreadable(key.stored.stream.name, error))
            }
        }
    }

    /// Ends a subscription whose rows can't be read, and says why.
    private func end(_ client: EdgeClient, _ sub: Int, _ error: RequestError) {
        client.subscriptions.removeValue(forKey: sub)?.group.subscribers[client.id] = nil
        guard !client.isPlain else { return client.close(1011, error.message) }
        client.reply(ServerMessage.ended(sub: sub, error))
    }
}
