import Common
import Feed
import Postgres

/// Rows of tables of one row a key, as they were before: read once a stream, while somebody filters it.
extension Edge {
    func checkKeys(_ feed: StreamFeed, _ key: GroupKey) throws(RequestError) {
        guard !key.watchesKeys(feed.stream) || feed.stream.isKeyed || feed.stream.latest else {
            throw RequestError(
                code: "unsupported",
                message:
                    "\(feed.stream.name) keeps no table of newest rows, by which those that leave a filter are known")
        }
    }

    /// Calls `body` when rows that leave the filter would be noticed, at once if they are by now.
    func watchKeys(
        _ feed: StreamFeed, _ key: GroupKey, _ client: EdgeClient, _ opening: EdgeClient.Opening,
        _ body: @escaping (RequestError?) -> Void
    ) {
        guard key.watchesKeys(feed.stream) else { return body(nil) }
        if feed.rows?.isComplete == true { return body(nil) }
        client.opening.insert(opening)
        if let rows = feed.rows { return rows.waiting.append(body) }
        let rows = KeyedRows(feed.stream, number: snapshots.number())
        rows.waiting = [body]
        feed.rows = rows
        read(rows, feed, .init(isLatest: true, since: [:]))
    }

    private func read(_ rows: KeyedRows, _ feed: StreamFeed, _ request: SnapshotPage.Request) {
        let stored = feed.opening.stored
        threads.ask { [inbox, number = rows.number] readers in
            let result = Result { () throws(PostgresError) in try readers[stored].snapshot(request) }
            inbox.put(.keyedRows(stream: stored.stream.name, number, request, result))
        }
    }

    func take(
        _ stream: String, _ number: UInt64, _ request: SnapshotPage.Request,
        _ result: Result<SnapshotPage, PostgresError>
    ) {
        guard let feed = streams[stream], let rows = feed.rows, rows.number == number else { return }
        switch result {
        case .failure(let error):
            finish(rows, feed, error.isLasting ? .unreadable(stream, error) : .notRead)
        case .success(let page):
            for row in page.rows { rows.read(row, feed.position) }
            guard !hasTooManyKeys else { return finish(rows, feed, tooManyKeys(stream)) }
            guard let next = page.next else { return finish(rows, feed, nil) }
            var following = request
            following.after = next
            read(rows, feed, following)
        }
    }

    private var hasTooManyKeys: Bool {
        streams.values.reduce(0) { $0 + ($1.rows?.byteCount ?? 0) } > limits.keyedRowsByteCount
    }

    private func tooManyKeys(_ stream: String) -> RequestError {
        RequestError(
            code: "limit",
            message: "\(stream) has too many keys to be filtered: more than \(limits.keyedRowsByteCount) bytes of rows")
    }

    /// Once a second: nobody filters such a table any more, and nobody is about to; or it has grown too large.
    func forgetKeys() {
        if hasTooManyKeys,
            let (name, feed) = streams.max(by: { $0.value.rows?.byteCount ?? 0 < $1.value.rows?.byteCount ?? 0 })
        {
            for (client, sub) in feed.keyFilterers { end(client, sub, tooManyKeys(name)) }
            forgetKeys(of: feed)
        }
        for (name, feed) in streams where feed.rows?.isComplete == true && !feed.filtersKeys {
            let isWanted = clients.values.contains { $0.opening.contains { $0.stream == name } }
            if !isWanted { feed.rows = nil }
        }
    }

    /// What is known of a table's rows may be wrong by now.
    func forgetKeys(of feed: StreamFeed) {
        guard let rows = feed.rows else { return }
        finish(rows, feed, .notRead)
    }

    private func finish(_ rows: KeyedRows, _ feed: StreamFeed, _ error: RequestError?) {
        rows.isComplete = error == nil
        if error != nil { feed.rows = nil }
        let waiting = rows.waiting
        rows.waiting = []
        for body in waiting { body(error) }
    }
}
