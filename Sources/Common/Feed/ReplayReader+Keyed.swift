import Common
private import Foundation
package import Postgres

/// Tables of one row a key: what changed in a span of offsets, and the state as a whole.
extension ReplayReader {
    /// The rows of all keys that changed within the first part of a span, as they are now. The span's end must be committed.
    func changes(_ span: FeedMessage.Span) throws(PostgresError) -> ReplayedRows {
        let limit = rowLimit
        let types = stream.keyIndices.map { stream.columns[$0].type.rawValue }
        let keys = zip(stream.key, types).map { name, type in
            (column: Connection.identifier(name), value: "(c.key ->> \(Self.literal(name)))::\(type)")
        }
        let columns = stream.columns.map { column in
            let name = "t.\(Connection.identifier(column.name))"
            guard let place = stream.key.firstIndex(of: column.name) else { return name }
            return "coalesce(\(name), \(keys[place].value))"
        }
        // One statement, one snapshot. A row that is gone altogether was deleted so long ago that its tombstone is gone too.
        let found = try query(
            """
            WITH n AS MATERIALIZED (
                SELECT key, row_version, source_offset FROM \(schema.name).change
                WHERE source_id = \(span.source) AND source_offset >= \(span.from) AND source_offset < \(span.to)
                ORDER BY source_offset LIMIT \(limit))
            SELECT s.start_offset, coalesce(s.changes_from, s.start_offset), (SELECT count(*) FROM n),
                (SELECT max(source_offset) FROM n), r.*
            FROM \(schema.name).source s LEFT JOIN LATERAL (
                SELECT coalesce(t.source_id, s.id), coalesce(t.source_offset, c.source_offset),
                    coalesce(t.row_version, c.row_version), coalesce(t.deleted, true), \(columns.joined(separator: ", "))
                FROM (SELECT DISTINCT ON (key) * FROM n ORDER BY key, source_offset DESC) c
                LEFT JOIN \(Connection.table(stream.table)) t
                    ON \(keys.map { "t.\($0.column) = \($0.value)" }.joined(separator: " AND "))
                ORDER BY c.source_offset) r ON true
            WHERE s.id = \(span.source)
            """)[0]
        guard found.rowCount > 0, let start = found.integer(0, 0), let changesFrom = found.integer(0, 1) else {
            throw Self.error("42704", "source \(span.source) of \(stream.name) is not there")
        }
        var replayed = ReplayedRows(rows: [], end: span.to, start: start, retainedFrom: changesFrom)
        for row in 0..<found.rowCount where found.bytes(row, 4) != nil {
            replayed.rows.append(try keyedRow(found, row, firstColumn: 4))
        }
        if found.integer(0, 2) == Int64(limit), let last = found.integer(0, 3) { replayed.end = last + 1 }
        learn(replayed.rows)
        return replayed
    }

    /// A page of the table, without a transaction of its own: later pages may show a later state, so that whoever puts them
    /// together goes on from a position that is older than the first.
    package func snapshot(_ request: SnapshotPage.Request) throws(PostgresError) -> SnapshotPage {
        let table = request.isLatest && !stream.isKeyed ? stream.latestTable : stream.table
        let key = stream.key.map { "t.\(Connection.identifier($0))" }.joined(separator: ", ")
        var conditions = [request.filter.sql(stream.columns)]
        if let after = request.after {
            conditions.append("(\(key)) > (\(after.map(Self.literal).joined(separator: ", ")))")
        }
        if let since = request.since {
            let places = since.sorted { $0.key < $1.key }.map { "WHEN \($0.key) THEN \($0.value)" }
            if !places.isEmpty {
                conditions.append("t.source_offset >= CASE t.source_id \(places.joined(separator: " ")) ELSE 0 END")
            }
        } else {
            conditions.append("NOT t.deleted")
        }
        let limit = rowLimit
        let found = try query(
            """
            SELECT t.source_id, t.source_offset, t.row_version, t.deleted, \(columns), \(key), \(Self.countColumn)
            FROM \(fitting(
                """
                SELECT * FROM \(Connection.table(table)) t WHERE \(conditions.joined(separator: " AND "))
                ORDER BY \(key) LIMIT \(limit)
                """, by: key)) ORDER BY \(key)
            """)[0]
        var page = SnapshotPage()
        for row in 0..<found.rowCount { page.rows.append(try keyedRow(found, row, firstColumn: 0)) }
        let keyColumn = 4 + stream.columns.count
        if goesOn(found, column: keyColumn + stream.key.count, limit) {
            page.next = stream.key.indices.map { found.text(found.rowCount - 1, keyColumn + $0) ?? "" }
        }
        learn(page.rows)
        return page
    }

    /// - Parameter firstColumn: source_id, source_offset, row_version, deleted; the stream's columns follow.
    private func keyedRow(
        _ found: QueryResult, _ row: Int, firstColumn: Int
    ) throws(PostgresError) -> FeedMessage.Row {
        FeedMessage.Row(
            source: SourceID(rawValue: Int32(found.integer(row, firstColumn)!)),
            offset: found.integer(row, firstColumn + 1)!, version: found.integer(row, firstColumn + 2)!,
            deleted: found.text(row, firstColumn + 3) == "t", json: try json(found, row, firstColumn: firstColumn + 4))
    }
}
