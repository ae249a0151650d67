import Common
import Feed
import WebServer

/// What a subscriber is sent next.
extension Edge {
    func nextFrames(_ client: EdgeClient, _ subscription: inout EdgeClient.Subscription) -> FrameBuffer? {
        let frames = next(client, &subscription)
        if frames != nil { subscription.sentAt = client.connection.turn }
        return frames
    }

    private func next(_ client: EdgeClient, _ subscription: inout EdgeClient.Subscription) -> FrameBuffer? {
        let (feed, group) = (subscription.feed, subscription.group)
        // Only events tell all of it, and it is copied when it moves.
        let isTold = group.key.form == .events
        while true {
            if let reading = subscription.reading {
                let position = isTold ? subscription.sentPosition : nil
                subscription.reading = nil
                let frames = frames(of: reading, group, subscription.snapshot, from: position)
                if let snapshot = subscription.snapshot, snapshot.isDone { subscription.snapshot = nil }
                if !frames.bytes.isEmpty { return frames }
            }
            if let key = nextPage(&subscription) {
                guard let known = ask(key, client, subscription) else { return nil }
                take(known, client, &subscription)
                continue
            }
            guard subscription.snapshot == nil else { return nil }
            let frames: FrameBuffer
            let position = isTold ? subscription.cursor.position : nil
            switch subscription.cursor.step(group.log.ring, merging: group.key.isLatest) {
            case .shared(let number) where isTold && !subscription.cursor.isLive:
                frames = group.encoding.frames(group.log.ring[number], from: position)
            case .shared(let number):
                frames = group.frames(number, from: position)
                if feed.samplesDelivery() { feed.addDelivery(of: group.log.ring[number]) }
            case .own(let entry): frames = group.encoding.frames(entry, from: position)
            case .merged(let numbers): frames = group.encoding.frames(group.merged(numbers), from: position)
            case .wait: return nil
            case .read where readsState(of: group):
                // The log has too many of such rows: who is late gets what was written since.
                let (since, start) = (subscription.cursor.position, feed.position)
                subscription.cursor = LogCursor(from: start, in: group.log.ring)
                subscription.snapshot = Snapshot(snapshots.number(), .init(isLatest: true, since: since), start: start)
                continue
            case .read(let span):
                guard
                    let known = ask(.init(opening: feed.opening, what: .rows(.init(span: span))), client, subscription)
                else {
                    return nil
                }
                take(known, client, &subscription)
                continue
            }
            if !frames.bytes.isEmpty { return frames }
        }
    }

    private func ask(
        _ key: Reading.Key, _ client: EdgeClient, _ subscription: EdgeClient.Subscription
    ) -> Reading? {
        readings.ask(
            key,
            for: .init(client: client.id, sub: subscription.group.sub, serial: subscription.serial))
    }

    /// Whether who is behind reads a table of newest rows rather than the log.
    private func readsState(of group: Group) -> Bool {
        group.key.isLatest && !group.stream.isKeyed && group.stream.latest
    }

    /// The next page of a state that has to be read; nil when there is none, or it is being read.
    private func nextPage(_ subscription: inout EdgeClient.Subscription) -> Reading.Key? {
        guard var snapshot = subscription.snapshot, !snapshot.isReading else { return nil }
        snapshot.isReading = true
        subscription.snapshot = snapshot
        return .init(opening: subscription.feed.opening, what: .page(snapshot.number, snapshot.request))
    }

    func take(_ reading: Reading, _ client: EdgeClient, _ subscription: inout EdgeClient.Subscription) {
        subscription.reading = reading
        switch reading.content {
        case .page(let page): subscription.snapshot?.take(page)
        case .rows(let span, let replayed):
            subscription.cursor.take(span.source, replayed)
            // Rows that were asked for and have been deleted; a span from before the source's first row lost nothing.
            let isLossy = max(span.from, replayed.start) < min(replayed.retainedFrom, replayed.end)
            if isLossy, !client.isPlain {
                client.reply(ServerMessage.reset(sub: subscription.group.sub, reason: "retention"))
            }
        }
    }

    /// - Parameter position: of the client before it.
    private func frames(
        of reading: Reading, _ group: Group, _ snapshot: Snapshot?, from position: [SourceID: Int64]?
    ) -> FrameBuffer {
        reading.frames(group.sub, group.key.form) {
            switch reading.content {
            case .rows(let span, let replayed):
                return group.encoding.frames(group.choose(replayed.rows, [span.source: replayed.end]), from: position)
            case .page(let page):
                let start = page.next == nil ? snapshot?.start ?? [:] : nil
                guard snapshot?.isCatchingUp == true else {
                    return group.encoding.snapshot(page.rows, before: start)
                }
                return group.encoding.frames(group.choose(page.rows, start ?? [:]), from: start)
            }
        }
    }

    // MARK: Groups

    func group(_ feed: StreamFeed, _ key: GroupKey) -> Group {
        feed.group(key) {
            nextSub += 1
            return nextSub
        }
    }

    func join(
        _ client: EdgeClient, _ feed: StreamFeed, _ group: Group, _ cursor: LogCursor, _ snapshot: Snapshot? = nil
    ) {
        client.subscriptions[group.sub] = .init(
            feed: feed, group: group, serial: nextSubscription, cursor: cursor, snapshot: snapshot)
        serials.insert(nextSubscription)
        nextSubscription += 1
        group.subscribers[client.id] = client
        client.connection.requestWrite()
    }

    /// A subscription ended, or its client is gone.
    func leave(_ client: EdgeClient, _ subscription: EdgeClient.Subscription) {
        serials.remove(subscription.serial)
        subscription.group.subscribers[client.id] = nil
        subscription.feed.remove(subscription.group)
    }

    /// Groups of the newest rows whose turn it is.
    func takeTurns() {
        var next: ContinuousClock.Instant?
        for feed in streams.values {
            if let due = feed.takeTurns(at: .now) { next = min(next ?? due, due) }
        }
        if let next { turns.set(next) }
    }
}
