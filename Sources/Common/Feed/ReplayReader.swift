package import Common
package import Postgres
internal import Schema

/// Reads a stream's rows again, as the feed would have carried them. Blocking; one thread.
package final class ReplayReader {
    /// Rows of one reading; what is left takes another.
    package static let rowLimit = 1000
    /// Bytes of one reading, unless a single row is larger.
    package static let byteLimit = 256 * 1024

    private static let statementSeconds = 30
    private let stored: StoredStream
    private let keys: CanonicalJSON.Keys
    private var connection: Connection?
    /// The mean size of rows as they came: by it so many are asked for as fit into a reading.
    private var meanRowByteCount = 256

    var stream: StreamDefinition { stored.stream }
    var schema: MillraceSchema { stored.schema }

    package init(_ stored: StoredStream) {
        self.stored = stored
        keys = CanonicalJSON.Keys(stored.stream.columns)
        connection = nil
    }

    package func answer(_ question: FeedQuestion) throws(PostgresError) -> FeedAnswer {
        switch question {
        case .state: .state(try state())
        case .rows(let span): .rows(span.source, try rows(span))
        }
    }

    /// How far every source of the stream is committed.
    package func state() throws(PostgresError) -> StreamState {
        try state(from: query(stateSQL)[0])
    }

    /// As `state`, for somebody who will read rows: throws also where those could not be read.
    package func readableState() throws(PostgresError) -> StreamState {
        try state(from: query("\(stateSQL); SELECT \(columns) FROM \(Connection.table(stream.table)) t LIMIT 0")[0])
    }

    var columns: String {
        stream.columns.map { "t.\(Connection.identifier($0.name))" }.joined(separator: ", ")
    }

    var stateSQL: String {
        """
        SELECT t.epoch, s.id, s.start_offset, coalesce(s.\(retainedColumn), s.start_offset), s.next_offset, s.topic, s.partition,
            s.paused_by IS NOT NULL OR s.retired_at IS NOT NULL
        FROM \(schema.name).stream t LEFT JOIN \(schema.name).source s ON s.stream = t.name
        WHERE t.name = \(Self.literal(stream.name))
        """
    }

    /// Of a keyed stream its log of changes counts.
    private var retainedColumn: String { stream.isKeyed ? "changes_from" : "retained_from" }

    func state(from found: QueryResult) throws(PostgresError) -> StreamState {
        guard found.rowCount > 0, let epoch = found.text(0, 0) else {
            throw Self.error("42704", "the stream \(stream.name) is not there")
        }
        var state = StreamState(epoch: epoch, sources: [:])
        for row in 0..<found.rowCount {
            guard let id = found.integer(row, 1), let start = found.integer(row, 2),
                let retainedFrom = found.integer(row, 3), let next = found.integer(row, 4),
                let topic = found.text(row, 5),
                let partition = found.integer(row, 6)
            else { continue }
            state.sources[SourceID(rawValue: Int32(id))] = .init(
                place: .init(topic: topic, partition: Int32(partition)), start: start, retainedFrom: retainedFrom,
                next: next, isPaused: found.text(row, 7) == "t")
        }
        return state
    }

    /// The first rows of a span. Its end must be committed.
    ///
    /// - Parameter most: rows, whatever their size; of a log only.
    package func rows(_ span: FeedMessage.Span, most: Int = .max) throws(PostgresError) -> ReplayedRows {
        if stream.isKeyed { return try changes(span) }
        let limit = min(rowLimit, most)
        // One statement, one snapshot: retention deletes rows and says so in one transaction.
        let found = try query(
            """
            SELECT s.start_offset, coalesce(s.retained_from, s.start_offset), r.*
            FROM \(schema.name).source s LEFT JOIN LATERAL (
                SELECT t.source_offset, \(columns), \(Self.countColumn) FROM \(fitting(
                    """
                    SELECT * FROM \(Connection.table(stream.table)) t
                    WHERE t.source_id = s.id AND t.source_offset >= \(span.from) AND t.source_offset < \(span.to)
                    ORDER BY t.source_offset LIMIT \(limit)
                    """, by: "t.source_offset"))) r ON true
            WHERE s.id = \(span.source) ORDER BY r.source_offset
            """)[0]
        guard found.rowCount > 0, let start = found.integer(0, 0), let retainedFrom = found.integer(0, 1) else {
            throw Self.error("42704", "source \(span.source) of \(stream.name) is not there")
        }
        var replayed = ReplayedRows(rows: [], end: span.to, start: start, retainedFrom: retainedFrom)
        for row in 0..<found.rowCount {
            guard let offset = found.integer(row, 2) else { break }
            let json = try json(found, row, firstColumn: 3)
            replayed.rows.append(.init(source: span.source, offset: offset, version: 0, deleted: false, json: json))
        }
        if let last = replayed.rows.last, goesOn(found, column: 3 + stream.columns.count, limit) {
            replayed.end = last.offset + 1
        }
        learn(replayed.rows)
        return replayed
    }

    /// Of rows in an order those first ones that fit into a reading by what their texts take, at least one: however large they
    /// turn out to be. Postgres knows that without fetching what it has stored out of line.
    func fitting(_ rows: String, by order: String) -> String {
        let texts = stream.columns.filter { $0.type == .text }.map { Connection.identifier($0.name) }
        let size = (["0"] + texts.map { "coalesce(octet_length(t.\($0)), 0)" }).joined(separator: " + ")
        return """
            (SELECT t.*, count(*) OVER () AS "millrace count", \(size) AS "millrace size",
                sum(\(size)) OVER (ORDER BY \(order) ROWS UNBOUNDED PRECEDING) AS "millrace bytes"
            FROM (\(rows)) t) t
            WHERE t."millrace bytes" - t."millrace size" < \(Self.byteLimit)
            """
    }

    /// How many rows `fitting` was given.
    static let countColumn = #"t."millrace count""#

    /// Whether there are more than those that were read.
    func goesOn(_ found: QueryResult, column: Int, _ limit: Int) -> Bool {
        guard let count = found.integer(0, column) else { return false }
        return count == Int64(limit) || count > Int64(found.rowCount)
    }

    /// Rows of the next reading.
    var rowLimit: Int { min(Self.rowLimit, max(1, Self.byteLimit / meanRowByteCount)) }

    /// How large rows are.
    func learn(_ rows: [FeedMessage.Row]) {
        guard !rows.isEmpty else { return }
        meanRowByteCount = max(1, rows.reduce(0) { $0 + $1.json.count } / rows.count)
    }

    func json(_ result: QueryResult, _ row: Int, firstColumn: Int) throws(PostgresError) -> [UInt8] {
        var values: [ColumnValue] = []
        for (index, column) in stream.columns.enumerated() {
            guard let value = ColumnValue(stored: result.bytes(row, index + firstColumn), type: column.type) else {
                throw Self.error(
                    "42804", "column \(column.name) of \(stream.table) is not of type \(column.type.rawValue)")
            }
            values.append(value)
        }
        var writer = ByteWriter()
        values.withUnsafeBufferPointer { CanonicalJSON.write(row: $0, keys: keys, to: &writer) }
        return Array(writer.bytes)
    }

    /// A connection that is lost is made anew with the next query.
    func query(_ sql: String) throws(PostgresError) -> [QueryResult] {
        var open = try openConnection()
        do throws(PostgresError) {
            let result = try open.execute(sql)
            connection = consume open
            return result
        } catch {
            connection = consume open
            throw error
        }
    }

    private func openConnection() throws(PostgresError) -> Connection {
        if let kept = connection.take() {
            if !kept.isLost { return kept }
        }
        var new = try Connection.open(parameters: stored.database)
        // What takes longer is ended there, too, rather than only waited for no more.
        try new.execute("SET statement_timeout = '\(Self.statementSeconds)s'")
        return new
    }

    /// An error that stays until somebody acts: reading again would not help, and whoever waits is told.
    static func error(_ sqlState: String, _ message: String) -> PostgresError {
        PostgresError(operation: "replay", sqlState: sqlState, message: message)
    }

    static func literal(_ text: String) -> String { Connection.literal(text) }
}
