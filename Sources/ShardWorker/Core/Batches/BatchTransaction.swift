package import Common
import JSONRecords
package import Postgres
package import Schema

/// One transaction over a run of a batch: fence, rows, dead letters, ledger, COMMIT, as one script.
package struct BatchTransaction {
    package let range: Range<Int>
    package let script: Script
    /// The open ledger entries as they are once it has committed.
    package let ledger: [SourceID: LedgerEntry]
    /// What each source advances over.
    package let spans: [FeedMessage.Span]
    package let rowCount: Int64
    package let deadCount: Int64
    /// Whether the run's rows become dead letters, since Postgres refused them.
    package let isDeadLetter: Bool
    /// Why it must not be sent but split, as if Postgres had refused it.
    package let refusal: PostgresError?

    package static let recordsPerLedgerEntry: Int64 = 1_000_000
    /// Somebody has a table locked: the stream stops for a while, so that the others don't wait for it.
    private static let lockTimeout = "15s"

    /// - Parameters:
    ///   - run: entries of the batch, or the only one that Postgres refused; trailing positions go with the last run.
    ///   - ledger: the open entries of the batch's sources.
    ///   - isPlain: whether the append table is taken to have no triggers; then it is a condition of the transaction.
    ///   - closing: sources whose open entry is old enough to be closed.
    package init(
        _ batch: borrowing Batch, _ run: SplitRuns.Run, claim: UUIDValue,
        ledger: [SourceID: LedgerEntry], isPlain: Bool = true, closing: Set<SourceID> = [], table: StreamTable,
        schema: MillraceSchema
    ) {
        let (range, refusal) = (run.range, run.refusal)
        var entries: [SourceID: LedgerEntry] = [:]
        var dead: Int64 = 0
        var skipped: Int64 = 0
        var replayed: [Int64] = []
        var index = range.lowerBound
        while index < range.upperBound {
            // Records come in runs of one source.
            let source = batch.entries[index].source
            var open = entries[source] ?? ledger[source]!
            while index < range.upperBound, batch.entries[index].source == source {
                let entry = batch.entries[index]
                index += 1
                switch (entry.outcome == .dead || refusal != nil, entry.letter) {
                case (false, let letter):
                    open.add(offset: entry.offset, checksum: entry.checksum, outcome: .row)
                    if let letter { replayed.append(letter) }
                case (true, nil):
                    dead += 1
                    open.add(offset: entry.offset, checksum: entry.checksum, outcome: .dead)
                case (true, .some):
                    // A letter that is refused again stays the dead letter that it is.
                    skipped += 1
                    open.add(offset: entry.offset, checksum: entry.checksum, outcome: .skipped)
                }
            }
            entries[source] = open
        }
        if range.upperBound == batch.entries.count {
            for (source, end) in batch.ends {
                var open = entries[source] ?? ledger[source]!
                if end > open.to { open.advance(to: end) }
                entries[source] = open
            }
        }
        deadCount = dead
        rowCount = Int64(range.count) - dead - skipped
        let ids = entries.keys.sorted()
        spans = ids.map { FeedMessage.Span(source: $0, from: ledger[$0]!.to, to: entries[$0]!.to) }

        var sql = ""
        var copies: [CopyData] = []
        var unmergeable: PostgresError?
        if rowCount > 0 {
            if !batch.stream.isKeyed {
                let check = isPlain ? table.requirePlainSQL : table.requireStoredSQL(spans, count: rowCount)
                sql += "\(table.copyRowsSQL);\n\(check);\n"
                copies.append(Self.rows(batch, range))
            }
            if batch.stream.isKeyed || batch.stream.latest {
                var staging = Staging(batch.stream, recordCount: range.count)
                staging.add(range, of: batch)
                let data = CopyData(capacity: 64 * 1024)
                staging.copy(batch, to: &data.writer)
                sql += "\(table.copyStageSQL);\n\(table.mergeStageSQL);\n"
                copies.append(data)
                unmergeable = staging.refusal
            }
        }
        isDeadLetter = refusal != nil
        self.refusal = unmergeable
        if let letters = Self.deadLetters(batch, run) {
            sql += """
                COPY \(schema.name).dead_letter (source_id, source_offset, stream, reason_code, reason, key, value,
                    headers, record_timestamp) FROM STDIN (FORMAT binary);

                """
            copies.append(letters)
        }
        if !replayed.isEmpty {
            let list = replayed.map(String.init).joined(separator: ",")
            sql += "SELECT \(schema.name).mark_replayed('{\(list)}');\n"
        }
        if skipped > 0 { sql += Self.keptLetters(batch, range, refusal, schema) }
        for id in ids where closing.contains(id) || entries[id]!.records >= Self.recordsPerLedgerEntry {
            let entry = entries[id]!
            guard entry.to > entry.from else { continue }
            sql += """
                INSERT INTO \(schema.name).ledger (source_id, from_offset, to_offset, records, rows, dead, skipped, checksum)
                    VALUES (\(id), \(entry.from), \(entry.to), \(entry.records), \(entry.rows), \(entry.dead),
                    \(entry.skipped), \(Int64(bitPattern: entry.checksum)));

                """
            entries[id] = LedgerEntry(openedAt: entry.to)
        }
        let open = ids.map { entries[$0]! }
        func array(_ values: some Sequence<Int64>) -> String { "'{\(values.map(String.init).joined(separator: ","))}'" }
        let fence = """
            SELECT \(schema.name).fence('\(claim)', \(array(ids.map { Int64($0.rawValue) })),
                \(array(spans.map(\.from))), \(array(spans.map(\.to))), \(array(open.map(\.from))),
                \(array(open.map(\.records))), \(array(open.map(\.rows))), \(array(open.map(\.dead))),
                \(array(open.map(\.skipped))), \(array(open.map { Int64(bitPattern: $0.checksum) })));
            """
        self.range = range
        self.ledger = entries
        script = Script(
            "BEGIN; SET LOCAL lock_timeout = '\(Self.lockTimeout)';\n\(fence)\n\(sql)COMMIT", copies: copies)
    }

    private static func rows(_ batch: borrowing Batch, _ range: Range<Int>) -> CopyData {
        let rows = batch.rows(range)
        let data = CopyData(capacity: rows.count + 21)
        data.writer.copyStart()
        data.writer.append(rows)
        data.writer.copyEnd()
        return data
    }

    /// Nil when there are none.
    private static func deadLetters(_ batch: borrowing Batch, _ run: SplitRuns.Run) -> CopyData? {
        let data = CopyData()
        data.writer.copyStart()
        var count = 0
        for index in run.range where batch.entries[index].letter == nil {
            guard let reason = Self.reason(batch, index, run.refusal) else { continue }
            let entry = batch.entries[index]
            let (key, value) = run.isBare ? (nil, nil) : (entry.key, entry.value)
            count += 1
            data.writer.copyRow(fieldCount: 9)
            data.writer.copyField(entry.source.rawValue)
            data.writer.copyField(entry.offset)
            data.writer.copyField(batch.stream.name)
            data.writer.copyField(reason.code.rawValue)
            data.writer.copyField(reason.reason.replacing("\0", with: "\u{FFFD}"))
            if let key { data.writer.copyField(batch.raw.bytes(key)) } else { data.writer.copyNull() }
            if let value { data.writer.copyField(batch.raw.bytes(value)) } else { data.writer.copyNull() }
            if let headers = entry.headers, !run.isBare {
                // jsonb in binary: its version, then text.
                data.writer.append(bigEndian: Int32(headers.count + 1))
                data.writer.append(1)
                data.writer.append(batch.raw.bytes(headers))
            } else {
                data.writer.copyNull()
            }
            if let timestamp = entry.timestamp.flatMap({ Timestamp(unixMilliseconds: $0) }) {
                data.writer.copyField(timestamp.microseconds)
            } else {
                data.writer.copyNull()
            }
        }
        guard count > 0 else { return nil }
        data.writer.copyEnd()
        return data
    }

    private static func reason(
        _ batch: borrowing Batch, _ index: Int, _ refusal: RecordRejection?
    ) -> RecordRejection? {
        guard let rejection = batch.rejection(index) else { return refusal }
        guard let refusal else { return rejection }
        // The dead letter was refused here, not a row.
        return RecordRejection(rejection.code, "\(rejection.reason); \(refusal.reason)")
    }

    /// Says why letters were refused again.
    private static func keptLetters(
        _ batch: borrowing Batch, _ range: Range<Int>, _ refusal: RecordRejection?, _ schema: MillraceSchema
    ) -> String {
        var sql = ""
        for index in range {
            guard let letter = batch.entries[index].letter, let reason = Self.reason(batch, index, refusal) else {
                continue
            }
            let text = Connection.literal("\(reason.code.rawValue): \(reason.reason)")
            sql += """
                UPDATE \(schema.name).dead_letter SET replay_requested_at = NULL, replay_reason = \(text)
                    WHERE id = \(letter);

                """
        }
        return sql
    }
}
