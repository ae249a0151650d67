import Common
import Postgres
import ShardWorkerCore
import Testing

/// What somebody's own indexes, triggers and collations do to a batch: the guilty row is a dead letter, the rest is stored.
@Suite("Rows that Postgres refuses", .timeLimit(.minutes(3)))
struct RefusedRowTests {
    private static let events = StreamDefinition(
        name: "events", topics: ["t"], mode: .append, columns: [Column("id", .text), Column("n", .integer)])

    private func add(_ count: Int, to fixture: BatchFixture, id: (Int) -> String = { "r\($0)" }) {
        for index in 0..<count { fixture.add(#"{"id":"\#(id(index))","n":\#(index)}"#, offset: Int64(index)) }
    }

    private func letters(_ fixture: BatchFixture) throws -> [String] {
        try fixture.rows("SELECT source_offset, reason_code, reason FROM millrace.dead_letter ORDER BY 1")
    }

    @Test("A double in the user's own unique index is a dead letter that names the index")
    func uniqueIndex() throws {
        let fixture = try BatchFixture(Self.events)
        try fixture.connection.execute("CREATE UNIQUE INDEX one_of_each ON events (id)")
        add(20, to: fixture) { $0 == 13 ? "r4" : "r\($0)" }
        try fixture.commitSplitting()
        #expect(try fixture.rows("SELECT count(*), count(*) FILTER (WHERE n = 13) FROM events") == ["19|0"])
        let letters = try letters(fixture)
        #expect(letters.count == 1 && letters[0].hasPrefix("13|refused|") && letters[0].contains("one_of_each"))
    }

    @Test("A row of the same source and offset that is there already is an invariant that broke, not a bad record")
    func invariant() throws {
        let fixture = try BatchFixture(Self.events)
        try fixture.connection.execute("INSERT INTO events (source_id, source_offset) VALUES (1, 3)")
        add(5, to: fixture)
        #expect {
            try fixture.commitSplitting()
        } throws: { error in
            (error as? PostgresError).map { $0.disposition == .stream && $0.sqlState == "23505" } ?? false
        }
    }

    @Test(
        "What a trigger raises is the reason of a dead letter, whatever SQLSTATE it chose",
        arguments: ["P0001", "38001", "39004", "09000", "ZZ123", "22012"])
    func trigger(state: String) throws {
        let fixture = try BatchFixture(Self.events)
        try fixture.connection.execute(
            """
            CREATE FUNCTION judge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF new.n = 7 THEN RAISE EXCEPTION 'seven is not for us' USING ERRCODE = '\(state)'; END IF;
                RETURN new; END $$;
            CREATE TRIGGER judge AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION judge();
            """)
        add(20, to: fixture)
        try fixture.commitSplitting()
        #expect(try fixture.rows("SELECT count(*) FROM events") == ["19"])
        let letters = try letters(fixture)
        #expect(letters.count == 1 && letters[0].hasPrefix("7|refused|") && letters[0].contains("seven is not for us"))
    }

    @Test("A table that has got triggers is found out before anything is committed, and holds what the ledger says")
    func rowsKeptOut() throws {
        let fixture = try BatchFixture(Self.events)
        add(3, to: fixture)
        try fixture.commit(fixture.transaction())
        fixture.batch.removeAll()
        try fixture.connection.execute(
            """
            CREATE FUNCTION drops() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF new.n % 5 = 2 THEN RETURN NULL; END IF;
                RETURN new; END $$;
            CREATE TRIGGER drops BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION drops();
            """)
        for offset in 3..<13 { fixture.add(#"{"n":\#(offset)}"#, offset: Int64(offset)) }
        let transaction = fixture.transaction()
        do throws(PostgresError) {
            try fixture.commit(transaction)
            Issue.record("rows were committed unseen")
        } catch { #expect(error.disposition == .tableChanged) }
        fixture.isPlain = false
        try fixture.commitSplitting()
        #expect(try fixture.rows("SELECT count(*) FROM events") == ["11"])
        let letters = try letters(fixture)
        #expect(letters.count == 2 && letters[0].hasPrefix("7|refused|") && letters[0].contains("keeps the row out"))
        #expect(try fixture.rows("SELECT open_rows, open_dead FROM millrace.source") == ["11|2"])
    }

    @Test(
        "A row that a trigger keeps out of a keyed table is a dead letter, not lost",
        arguments: [StreamMode.upsert, .increment], ["INSERT", "UPDATE"])
    func keyedRowsKeptOut(mode: StreamMode, operation: String) throws {
        let stream = StreamDefinition(
            name: "levels", topics: ["t"], mode: mode, key: ["id"], increments: mode == .increment ? ["n"] : [],
            columns: [Column("id", .text), Column("n", .bigint)])
        let fixture = try BatchFixture(stream, sources: 2)
        for id in ["a", "b"] { fixture.add(#"{"id":"\#(id)","n":1}"#, offset: id == "a" ? 0 : 1) }
        try fixture.commitSplitting()
        try fixture.connection.execute(
            """
            CREATE FUNCTION drops() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF new.id = \(operation == "INSERT" ? "'c'" : "'a'") THEN RETURN NULL; END IF;
                RETURN new; END $$;
            CREATE TRIGGER drops BEFORE \(operation) ON levels FOR EACH ROW EXECUTE FUNCTION drops();
            """)
        for (offset, id) in ["a", "b", "c", "d"].enumerated() {
            fixture.add(#"{"id":"\#(id)","n":5}"#, offset: Int64(offset), source: 2)
        }
        try fixture.commitSplitting()
        let new = mode == .increment ? 6 : 5
        #expect(
            try fixture.rows("SELECT id, n FROM levels ORDER BY id")
                == (operation == "INSERT" ? ["a|\(new)", "b|\(new)", "d|5"] : ["a|1", "b|\(new)", "c|5", "d|5"]))
        let letters = try letters(fixture)
        #expect(letters.count == 1 && letters[0].hasPrefix(operation == "INSERT" ? "2|refused|" : "0|refused|"))
        #expect(letters.first?.contains("keeps the row out") == true, "\(letters)")
    }

    @Test("A trigger on a partition counts as the table's own; a disabled one and those of foreign keys don't")
    func plain() throws {
        let fixture = try BatchFixture(Self.events)
        try fixture.connection.execute(
            """
            CREATE TABLE parts (n int) PARTITION BY RANGE (n);
            CREATE TABLE part PARTITION OF parts FOR VALUES FROM (0) TO (10);
            CREATE TABLE plain (n int); CREATE TABLE one (n int PRIMARY KEY);
            CREATE TABLE off (n int REFERENCES one);
            CREATE FUNCTION same() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;
            CREATE TRIGGER t BEFORE INSERT ON part FOR EACH ROW EXECUTE FUNCTION same();
            CREATE TRIGGER t BEFORE INSERT ON off FOR EACH ROW EXECUTE FUNCTION same();
            ALTER TABLE off DISABLE TRIGGER t;
            CREATE TRIGGER t BEFORE UPDATE ON plain FOR EACH ROW EXECUTE FUNCTION same();
            """)
        #expect(
            try fixture.rows(
                "SELECT millrace.is_plain(t::regclass) FROM unnest('{parts,part,plain,off,events}'::text[]) AS t")
                == ["f", "f", "t", "t", "t"])
    }

    @Test("0 and −0 are one key, in a batch too", arguments: [StreamMode.upsert, .increment])
    func negativeZero(mode: StreamMode) throws {
        let stream = StreamDefinition(
            name: "levels", topics: ["t"], mode: mode, key: ["at"], increments: mode == .increment ? ["n"] : [],
            columns: [Column("at", .double), Column("n", .bigint)])
        let fixture = try BatchFixture(stream)
        for (offset, at) in ["0", "-0.0", "0.0", "1"].enumerated() {
            fixture.add(#"{"at":\#(at),"n":\#(offset + 1)}"#, offset: Int64(offset))
        }
        try fixture.commit(fixture.transaction())
        let total = mode == .increment ? 6 : 3
        #expect(try fixture.rows("SELECT abs(at), n FROM levels ORDER BY 1") == ["0|\(total)", "1|4"])
    }

    @Test("Keys that a collation holds for the same end as one row", arguments: [StreamMode.upsert, .increment])
    func collation(mode: StreamMode) throws {
        let stream = StreamDefinition(
            name: "names", topics: ["t"], mode: mode, key: ["id"], increments: mode == .increment ? ["n"] : [],
            columns: [Column("id", .text), Column("n", .bigint)])
        let fixture = try BatchFixture(stream)
        try fixture.connection.execute(
            """
            CREATE COLLATION ignoring (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
            ALTER TABLE names ALTER COLUMN id TYPE text COLLATE ignoring;
            """)
        for (offset, id) in ["a", "A", "b", "a"].enumerated() {
            fixture.add(#"{"id":"\#(id)","n":\#(offset + 1)}"#, offset: Int64(offset))
        }
        try fixture.commitSplitting()
        #expect(
            try fixture.rows("SELECT lower(id), n FROM names ORDER BY 1")
                == ["a|\(mode == .increment ? 7 : 4)", "b|3"])
        #expect(try letters(fixture).isEmpty)
    }

    @Test("A reason that quotes what no text can hold is no reason to try its letter for ever")
    func oddReason() throws {
        var stream = Self.events
        stream.changeRecords = .debezium
        let fixture = try BatchFixture(stream)
        fixture.add(#"{"op":"\u0000'","before":null,"after":{"id":"a"}}"#, offset: 0)
        try fixture.commitSplitting()
        #expect(try letters(fixture).map { $0.contains("op is '\u{FFFD}''") } == [true])
    }

    @Test("A dead letter that is refused itself is kept without its content; if that is refused too, the stream stops")
    func refusedLetter() throws {
        let fixture = try BatchFixture(Self.events)
        try fixture.connection.execute(
            "ALTER TABLE millrace.dead_letter ADD CONSTRAINT small CHECK (length(value) < 5)")
        add(3, to: fixture)
        fixture.add(#"["not an object"]"#, offset: 3)
        try fixture.commitSplitting()
        #expect(try fixture.rows("SELECT count(*) FROM events") == ["3"])
        let letters = try letters(fixture)
        #expect(letters.count == 1 && letters[0].hasPrefix("3|not_object|") && letters[0].contains("small"))
        #expect(try fixture.rows("SELECT value IS NULL FROM millrace.dead_letter") == ["t"])

        try fixture.connection.execute("ALTER TABLE millrace.dead_letter ADD CONSTRAINT none CHECK (id < 0) NOT VALID")
        fixture.add(#"["not an object"]"#, offset: 4)
        #expect(throws: PostgresError.self) { try fixture.commitSplitting() }
    }
}
