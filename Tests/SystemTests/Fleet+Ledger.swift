extension Fleet {
    /// Cuts the open ledger entry of a source of an append stream, whose rows have n = offset, into closed ones, as if time had passed.
    /// Nobody writes meanwhile.
    func cutLedger(of source: Int = 1, every count: Int, hoursAgo: Int) throws {
        try execute(
            """
            INSERT INTO millrace.ledger (source_id, from_offset, to_offset, records, rows, dead, skipped, checksum, closed_at)
            SELECT \(source), f, f + \(count), \(count), \(count), 0, 0, c,
                date_trunc('hour', now()) - interval '\(hoursAgo) hours' + (f % 200) * interval '10 seconds'
            FROM (SELECT g AS f,
                CASE WHEN g = 0 THEN (SELECT open_checksum FROM millrace.source WHERE id = \(source)) ELSE 0 END AS c
                FROM generate_series(0, (SELECT next_offset FROM millrace.source WHERE id = \(source)) - \(count), \(count)) g
            ) AS entries
            """)
        try execute(
            """
            UPDATE millrace.source SET open_from = next_offset, open_records = 0, open_rows = 0, open_dead = 0, open_checksum = 0
            WHERE id = \(source)
            """)
    }
}
