import Common
package import Postgres

/// Pages of rows for those who ask once.
extension ReplayReader {
    /// Rows and the position that they stand for, in one snapshot.
    package func page(_ request: RowPage.Request) throws(PostgresError) -> RowPage {
        if case .position(let position)? = request.after { return try page(request, from: position) }
        let results = try query(
            """
            BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \(stateSQL); \(pageSQL(request)); COMMIT
            """)
        let state = try state(from: results[0])
        let found = results[1]
        var page = RowPage(epoch: state.epoch, position: state.heads, rows: [])
        page.rows.reserveCapacity(found.rowCount)
        for row in 0..<found.rowCount { page.rows.append(try json(found, row, firstColumn: 0)) }
        if found.rowCount > 0, isKeyed(request) {
            page.next = .key(stream.key.indices.map { found.text(found.rowCount - 1, stream.columns.count + $0) ?? "" })
        }
        return page
    }

    private func pageSQL(_ request: RowPage.Request) -> String {
        let table = Connection.table(request.isLatest && !stream.isKeyed ? stream.latestTable : stream.table)
        let key = stream.key.map { "t.\(Connection.identifier($0))" }.joined(separator: ", ")
        let filter = request.filter.sql(stream.columns)
        // What a page may hold is known only when its rows are: they are counted as they are read.
        let bounded = { (rows: String, order: String) in
            """
            SELECT \(self.columns)\(self.isKeyed(request) ? ", \(key)" : "") FROM (
                SELECT t.*, sum(octet_length(t::text)) OVER (ORDER BY \(order) ROWS UNBOUNDED PRECEDING)
                    - octet_length(t::text) AS millrace_before
                FROM (\(rows)) t) t WHERE millrace_before < \(request.byteLimit)
            """
        }
        if isKeyed(request) {
            var behind = ""
            if case .key(let last)? = request.after {
                behind = " AND (\(key)) > (\(last.map(Self.literal).joined(separator: ", ")))"
            }
            return bounded(
                "SELECT * FROM \(table) t WHERE NOT deleted AND \(filter)\(behind) ORDER BY \(key) LIMIT \(request.limit)",
                key) + " ORDER BY \(key)"
        }
        let newest = """
            SELECT r.*, row_number() OVER (PARTITION BY r.source_id ORDER BY r.source_offset DESC) AS millrace_age
            FROM \(schema.name).source s CROSS JOIN LATERAL (
                SELECT t.* FROM \(table) t WHERE t.source_id = s.id AND t.source_offset < s.next_offset AND \(filter)
                ORDER BY t.source_offset DESC LIMIT \(request.limit)) r
            WHERE s.stream = \(Self.literal(stream.name)) ORDER BY millrace_age, source_id LIMIT \(request.limit)
            """
        return bounded(newest, "millrace_age, source_id") + " ORDER BY millrace_age DESC, source_id DESC"
    }

    private func isKeyed(_ request: RowPage.Request) -> Bool { stream.isKeyed || request.isLatest }

    /// Rows looked at for one page, also those that its filter does not let through.
    private static let lookLimit = 100_000

    /// Rows of a log from a position on, source after source.
    private func page(
        _ request: RowPage.Request, from position: [SourceID: Int64]
    ) throws(PostgresError) -> RowPage {
        let state = try readableState()
        let chooser = RowChooser(request.filter, stream)
        var page = RowPage(epoch: state.epoch, position: state.heads, rows: [])
        var reached = state.sources.mapValues { $0.start }.merging(position) { $1 }
        var (byteCount, lookedAt) = (0, 0)
        func isFull() -> Bool {
            page.rows.count >= request.limit || byteCount >= request.byteLimit || lookedAt >= Self.lookLimit
        }
        for (source, known) in state.sources.sorted(by: { $0.key < $1.key }) {
            while reached[source]! < known.next, !isFull() {
                let part = try rows(.init(source: source, from: reached[source]!, to: known.next))
                reached[source] = part.end
                for row in part.rows {
                    guard !isFull() else {
                        reached[source] = row.offset
                        break
                    }
                    lookedAt += 1
                    guard chooser.matches(row.json) else { continue }
                    page.rows.append(row.json)
                    byteCount += row.json.count
                }
            }
        }
        page.next = state.sources.contains { reached[$0.key]! < $0.value.next } ? .position(reached) : nil
        return page
    }
}
