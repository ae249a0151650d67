package import Common
package import Postgres
package import Schema

/// Reads an append stream's rows again, as the feed would have carried them. Blocking; one thread.
package final class ReplayReader {
    /// Rows of one reading; what is left takes another.
    package static let rowLimit = 1000

    private let stream: StreamDefinition
    private let schema: MillraceSchema
    private let database: [String: String]
    private let keys: CanonicalJSON.Keys
    private var connection: Connection?

    /// - Parameter database: libpq's connection parameters; reading is all that the role needs to be allowed.
    package init(_ stream: StreamDefinition, schema: MillraceSchema, database: [String: String]) {
        self.stream = stream
        self.schema = schema
        self.database = database
        keys = CanonicalJSON.Keys(stream.columns)
        connection = nil
    }

    /// How far every source of the stream is committed.
    package func state() throws(PostgresError) -> StreamState {
        let found = try query(
            """
            SELECT t.epoch, s.id, s.start_offset, coalesce(s.retained_from, s.start_offset), s.next_offset
            FROM \(schema.name).stream t LEFT JOIN \(schema.name).source s ON s.stream = t.name
            WHERE t.name = \(Self.literal(stream.name))
            """)
        guard found.rowCount > 0, let epoch = found.text(0, 0) else {
            throw PostgresError(operation: "replay", sqlState: "", message: "the stream \(stream.name) is not there")
        }
        var state = StreamState(epoch: epoch, sources: [:])
        for row in 0..<found.rowCount {
            guard let id = found.integer(row, 1), let start = found.integer(row, 2),
                let retainedFrom = found.integer(row, 3), let next = found.integer(row, 4)
            else { continue }
            state.sources[SourceID(rawValue: Int32(id))] = .init(start: start, retainedFrom: retainedFrom, next: next)
        }
        return state
    }

    /// The first rows of a span. Its end must be committed.
    package func rows(_ span: FeedMessage.Span) throws(PostgresError) -> ReplayedRows {
        let columns = stream.columns.map { "t.\(Connection.identifier($0.name))" }.joined(separator: ", ")
        // One statement, one snapshot: retention deletes rows and says so in one transaction.
        let found = try query(
            """
            SELECT s.start_offset, coalesce(s.retained_from, s.start_offset), r.*
            FROM \(schema.name).source s LEFT JOIN LATERAL (
                SELECT t.source_offset, \(columns) FROM \(Connection.table(stream.table)) t
                WHERE t.source_id = s.id AND t.source_offset >= \(span.from) AND t.source_offset < \(span.to)
                ORDER BY t.source_offset LIMIT \(Self.rowLimit)) r ON true
            WHERE s.id = \(span.source) ORDER BY r.source_offset
            """)
        guard found.rowCount > 0, let start = found.integer(0, 0), let retainedFrom = found.integer(0, 1) else {
            throw PostgresError(
                operation: "replay", sqlState: "", message: "source \(span.source) of \(stream.name) is not there")
        }
        var replayed = ReplayedRows(rows: [], end: span.to, start: start, retainedFrom: retainedFrom)
        for row in 0..<found.rowCount {
            guard let offset = found.integer(row, 2) else { break }
            replayed.rows.append(
                .init(source: span.source, offset: offset, version: 0, deleted: false, json: try json(found, row)))
        }
        if replayed.rows.count == Self.rowLimit { replayed.end = replayed.rows.last!.offset + 1 }
        return replayed
    }

    private func json(_ result: QueryResult, _ row: Int) throws(PostgresError) -> [UInt8] {
        var values: [ColumnValue] = []
        for (index, column) in stream.columns.enumerated() {
            guard let value = ColumnValue(stored: result.bytes(row, index + 3), type: column.type) else {
                throw PostgresError(
                    operation: "replay", sqlState: "",
                    message: "column \(column.name) of \(stream.table) is not of type \(column.type.rawValue)")
            }
            values.append(value)
        }
        var writer = ByteWriter()
        values.withUnsafeBufferPointer { CanonicalJSON.write(row: $0, keys: keys, to: &writer) }
        return Array(writer.bytes)
    }

    /// A connection that is lost is made anew with the next query.
    private func query(_ sql: String) throws(PostgresError) -> QueryResult {
        var open = try openConnection()
        do throws(PostgresError) {
            let result = try open.execute(sql)[0]
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
        var new = try Connection.open(parameters: database)
        try new.execute("SET DateStyle = ISO; SET TimeZone = 'UTC'; SET default_transaction_read_only = on")
        return new
    }

    private static func literal(_ text: String) -> String {
        "'\(text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''"))'"
    }
}
