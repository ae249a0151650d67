import Common
import Postgres
import ZeroMQ

/// Publishes committed rows. What no subscriber takes is dropped: edges read it from Postgres.
struct FeedPublisher: ~Copyable {
    private let socket: Socket
    private let shard: Int32
    /// Beginnings of topics that somebody is subscribed to.
    private var subscribed: Set<[UInt8]>
    private var topic: ByteWriter
    private var header: ByteWriter
    private var rows: ByteWriter
    /// Asked whether a stranger may connect over tcp.
    private let authenticator: Authenticator?
    /// Where the feed is reached over tcp, with the port that was picked.
    let remoteEndpoint: String?

    init(
        _ endpoint: String, remote: WorkerConfiguration.RemoteFeed?, shard: Int32, in context: Context
    ) throws(ZeroMQError) {
        let authenticator = try remote.map { remote throws(ZeroMQError) in
            try Authenticator(in: context, allowedKeys: Self.keys(remote.clients))
        }
        let socket = try Socket(.watchingPublisher, in: context, highWaterMark: 64)
        try socket.bind(endpoint)
        var remoteEndpoint: String?
        if let remote {
            try socket.actAsCurveServer(CurveSecretKey(remote.secretKey))
            try socket.bind(remote.address)
            remoteEndpoint = try socket.lastEndpoint()
        }
        self.authenticator = authenticator
        self.remoteEndpoint = remoteEndpoint
        self.socket = socket
        self.shard = shard
        subscribed = []
        topic = ByteWriter()
        header = ByteWriter()
        rows = ByteWriter(capacity: 64 * 1024)
    }

    private static func keys(_ texts: [String]) throws(ZeroMQError) -> Set<CurvePublicKey> {
        var keys: Set<CurvePublicKey> = []
        for text in texts { keys.insert(try CurvePublicKey(text)) }
        return keys
    }

    func allow(_ clients: [String]) throws(ZeroMQError) {
        authenticator?.allowedKeys = try Self.keys(clients)
    }

    func add(to poller: inout Poller) {
        poller.add(socket)
        if let authenticator { poller.add(authenticator) }
    }

    /// Strangers who ask to be let in, and subscriptions that begin or end.
    mutating func serve() throws(ZeroMQError) {
        try authenticator?.serve()
        while let parts = try socket.receive() {
            guard parts.count == 1, let begins = parts[0].first else { continue }
            let topic = Array(parts[0].dropFirst())
            if begins == 1 { subscribed.insert(topic) } else { subscribed.remove(topic) }
        }
    }

    /// Where nobody listens nothing is built. Whoever subscribes later notices what was left out, and reads it from Postgres.
    func hasSubscribers(_ stream: String) -> Bool {
        guard !subscribed.isEmpty else { return false }
        let topic = FeedMessage.topic(stream)
        return subscribed.contains { topic.starts(with: $0) }
    }

    /// An append batch's committed run, in as many messages as its bytes need.
    mutating func publish(_ batch: borrowing Batch, _ transaction: BatchTransaction, committedAt: Int64)
        throws(ZeroMQError)
    {
        guard batch.isPublished else { return }
        for part in batch.feedParts(transaction) {
            try send(batch.stream.name, part.spans, part.rowCount, batch.feed.bytes(part.rows), committedAt)
        }
    }

    /// The rows that a keyed batch's merge returned: columns, source_id, source_offset, row_version, deleted.
    /// One message, since rows come in no order that its parts could name.
    mutating func publish(
        _ merged: QueryResult, _ stream: StreamDefinition, _ transaction: BatchTransaction, committedAt: Int64
    ) throws(ZeroMQError) {
        guard hasSubscribers(stream.name) else { return }
        let keys = CanonicalJSON.Keys(stream.columns)
        let count = stream.columns.count
        var rowCount = 0
        rows.truncate()
        for row in 0..<merged.rowCount {
            guard let source = merged.integer(row, count), let offset = merged.integer(row, count + 1),
                let version = merged.integer(row, count + 2)
            else { continue }
            let values = (0..<count).compactMap {
                ColumnValue(stored: merged.bytes(row, $0), type: stream.columns[$0].type)
            }
            // Somebody has changed a column's type: who reads the table itself is told so, a null would be a lie.
            guard values.count == count else { return }
            let start = FeedMessage.beginRow(
                source: SourceID(rawValue: Int32(source)), offset: offset, version: version,
                deleted: merged.text(row, count + 3) == "t", to: &rows)
            values.withUnsafeBufferPointer { CanonicalJSON.write(row: $0, keys: keys, to: &rows) }
            FeedMessage.endRow(start, of: &rows)
            rowCount += 1
        }
        try send(stream.name, transaction.spans, rowCount, rows.bytes, committedAt)
    }

    /// Where sources stand, so that an edge notices a lost tail.
    mutating func announce(_ heads: [FeedMessage.Span], stream: String, at time: Int64) throws(ZeroMQError) {
        try send(stream, heads, 0, UnsafeRawBufferPointer(start: nil, count: 0), time)
    }

    private mutating func send(
        _ stream: String, _ spans: [FeedMessage.Span], _ rowCount: Int, _ rows: UnsafeRawBufferPointer,
        _ committedAt: Int64
    ) throws(ZeroMQError) {
        topic.truncate()
        topic.append(stream)
        topic.append(0)
        header.truncate()
        FeedMessage.writeHeader(shard: shard, committedAt: committedAt, spans: spans, rowCount: rowCount, to: &header)
        // A publisher drops what a full subscriber can't take: nothing to do about false.
        _ = try socket.send(topic.bytes, joining: header.bytes, rows)
    }
}
