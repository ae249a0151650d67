import Common
import Feed
import Postgres
import Schema
import TestSupport
import Testing

/// What somebody else has put into a stream's table, or set for its role, as a reader sees it.
@Suite("Reading rows again", .timeLimit(.minutes(3)))
struct ReplayReaderTests {
    private static let stream = StreamDefinition(
        name: "odd", topics: ["t"], mode: .append, columns: [Column("at", .timestamp), Column("d", .double)])

    /// A database with the stream's table, a source that is committed to 100, and what `setUp` makes of it.
    private func reader(_ setUp: String, user: String? = nil) throws -> ReplayReader {
        var parameters = try TestPostgres.shared.get().makeDatabase()
        let schema = MillraceSchema()
        var connection = try Connection.open(parameters: parameters)
        try Migrations(schema: schema, streams: [Self.stream]).run(on: &connection)
        try connection.execute(
            """
            INSERT INTO millrace.source (stream, cluster_id, topic, partition, incarnation, start_offset, next_offset,
                open_from) VALUES ('odd', 'c', 't', 0, 1, 0, 100, 0);
            \(setUp)
            """)
        if let user { parameters["user"] = user }
        return ReplayReader(StoredStream(Self.stream, schema: schema, database: parameters))
    }

    private func rows(_ reader: ReplayReader) throws -> [String] {
        let span = FeedMessage.Span(source: SourceID(rawValue: 1), from: 0, to: 100)
        return try reader.rows(span).rows.map { String(decoding: $0.json, as: UTF8.self) }
    }

    @Test("Values that no record brings have a form in JSON, and stop nobody")
    func odd() throws {
        let values = [
            ("infinity", "NaN", "infinity", #""NaN""#), ("-infinity", "Infinity", "-infinity", #""Infinity""#),
            ("0044-03-15 BC", "-Infinity", "-000043-03-15T00:00:00.000000Z", #""-Infinity""#),
            ("0001-02-29 12:00:00.5 BC", "-0", "-000000-02-29T12:00:00.500000Z", "-0"),
            ("12026-02-28 23:59:59", "1", "+012026-02-28T23:59:59.000000Z", "1"),
            ("294276-12-31 23:59:59.999999", "1e300", "+294276-12-31T23:59:59.999999Z", "1e+300"),
            ("4714-11-24 BC", "2", "-004713-11-24T00:00:00.000000Z", "2"),
        ]
        let inserts = values.enumerated().map { "INSERT INTO odd VALUES ('\($1.0)', '\($1.1)', 1, \($0));" }
        let found = try rows(try reader("SET TimeZone = 'UTC'; " + inserts.joined()))
        #expect(found == values.map { #"{"at":"\#($0.2)","d":\#($0.3)}"# })
    }

    @Test("However large rows turn out to be, a reading takes no more of them than fit", arguments: [true, false])
    func large(isLog: Bool) throws {
        let stream = StreamDefinition(
            name: "large", topics: ["t"], mode: isLog ? .append : .upsert, key: ["k"],
            columns: [Column("k", .bigint), Column("pad", .text)])
        let parameters = try TestPostgres.shared.get().makeDatabase()
        var connection = try Connection.open(parameters: parameters)
        try Migrations(schema: MillraceSchema(), streams: [stream]).run(on: &connection)
        // Small ones first, so that many are asked for.
        let size = "CASE WHEN n < 10 THEN 1 ELSE 100000 END"
        try connection.execute(
            """
            INSERT INTO millrace.source (stream, cluster_id, topic, partition, incarnation, start_offset, next_offset,
                open_from) VALUES ('large', 'c', 't', 0, 1, 0, 100, 0);
            INSERT INTO large (k, pad, source_id, source_offset\(isLog ? "" : ", row_version, deleted"))
                SELECT n, repeat('x', \(size)), 1, n\(isLog ? "" : ", 1, false") FROM generate_series(0, 49) n
            """)
        let reader = ReplayReader(StoredStream(stream, schema: MillraceSchema(), database: parameters))
        var seen: [[UInt8]] = []
        var (span, request) = (
            FeedMessage.Span(source: SourceID(rawValue: 1), from: 0, to: 100), SnapshotPage.Request(isLatest: false)
        )
        while true {
            let rows: [FeedMessage.Row]
            let isLast: Bool
            if isLog {
                let replayed = try reader.rows(span)
                (rows, isLast, span.from) = (replayed.rows, replayed.end == 100, replayed.end)
            } else {
                let page = try reader.snapshot(request)
                (rows, isLast, request.after) = (page.rows, page.next == nil, page.next)
            }
            #expect(rows.reduce(0) { $0 + $1.json.count } < ReplayReader.byteLimit + 101_000)
            seen += rows.map(\.json)
            if isLast { break }
            try #require(!rows.isEmpty)
        }
        #expect(seen.count == 50 && Set(seen).count == 50)
    }

    @Test("What a database sets for its sessions changes no byte")
    func settings() throws {
        let reader = try reader(
            """
            INSERT INTO odd VALUES ('2026-07-01 12:00:00.25+02', 0.1::float8 + 0.2, 1, 0);
            DO $$ BEGIN
                EXECUTE format('ALTER DATABASE %I SET DateStyle = %L', current_database(), 'SQL, DMY');
                EXECUTE format('ALTER DATABASE %I SET TimeZone = %L', current_database(), 'Asia/Kathmandu');
                EXECUTE format('ALTER DATABASE %I SET extra_float_digits = -3', current_database());
            END $$;
            """)
        #expect(try rows(reader) == [#"{"at":"2026-07-01T10:00:00.250000Z","d":0.30000000000000004}"#])
    }

    @Test("Rows that a policy would hide are an error for whoever reads, not a gap that nobody sees")
    func rowSecurity() throws {
        let reader = try reader(
            """
            INSERT INTO odd SELECT now(), n, 1, n FROM generate_series(0, 99) AS n;
            ALTER TABLE odd ENABLE ROW LEVEL SECURITY;
            DO $$ BEGIN
                IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'policy_reader') THEN
                    CREATE ROLE policy_reader LOGIN;
                END IF;
            END $$;
            GRANT USAGE ON SCHEMA millrace TO policy_reader;
            GRANT SELECT ON ALL TABLES IN SCHEMA millrace, public TO policy_reader;
            """, user: "policy_reader")
        #expect {
            try rows(reader)
        } throws: { error in
            guard let error = error as? PostgresError else { return false }
            return error.sqlState == "42501" && error.disposition == .stream
        }
    }

    @Test("A column of another type is an error that reading again would not mend, and is told as such")
    func otherType() throws {
        let reader = try reader(
            "ALTER TABLE odd ALTER COLUMN d TYPE text; INSERT INTO odd VALUES (now(), 'much', 1, 0);")
        #expect {
            try rows(reader)
        } throws: { error in
            (error as? PostgresError)?.disposition == .stream
        }
    }
}
