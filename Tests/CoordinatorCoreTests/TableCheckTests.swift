import Common
import CoordinatorCore
import Postgres
import Schema
import TestSupport
import Testing

/// Tables that somebody had before: taken over with DDL that can be applied as it stands, or not at all.
@Suite("Checking tables", .timeLimit(.minutes(3)))
struct TableCheckTests {
    private static let events = StreamDefinition(
        name: "events", topics: ["t"], mode: .append,
        columns: [Column("n", .bigint, required: true), Column("t", .text), Column("at", .timestamp)])
    private static let items = StreamDefinition(
        name: "items", topics: ["t"], mode: .upsert, key: ["id"],
        columns: [Column("id", .text, required: true), Column("n", .integer, required: true)])

    private func database(_ sql: String) throws -> Connection {
        var connection = try Connection.open(parameters: TestPostgres.shared.get().makeDatabase())
        try connection.execute(sql)
        return connection
    }

    /// Applies all that is said, in its order, and checks again.
    private func mend(_ stream: StreamDefinition, _ connection: inout Connection) throws -> [String] {
        let check = TableCheck([stream], addsColumns: false)
        for line in try check.run(on: &connection) {
            let ddl = try #require(line.range(of: "mend it: "), "\(line)")
            try connection.execute(String(line[ddl.upperBound...]))
        }
        return try check.run(on: &connection)
    }

    @Test(
        "What is said mends the table as it stands",
        arguments: [
            (events, "CREATE TABLE events (n int, t varchar(5) NOT NULL, at timestamp, more int NOT NULL)"),
            (events, "CREATE TABLE events (id int PRIMARY KEY, n bigint, t text, at timestamptz)"),
            (
                events,
                "CREATE TABLE events (n bigint GENERATED ALWAYS AS IDENTITY, t text GENERATED ALWAYS AS ('x') STORED, at timestamptz)"
            ),
            (items, "CREATE TABLE items (id text, n int NOT NULL); INSERT INTO items VALUES ('a', 1), ('b', 2)"),
            (
                items,
                "CREATE TABLE items (other int PRIMARY KEY, id varchar, n smallint); INSERT INTO items VALUES (1, 'a', 1)"
            ),
        ] as [(StreamDefinition, String)])
    func mends(stream: StreamDefinition, sql: String) throws {
        var connection = try database(sql)
        let before = try connection.execute("SELECT count(*) FROM \(stream.table)")[0].text(0, 0)
        #expect(try mend(stream, &connection) == [])
        #expect(try connection.execute("SELECT count(*) FROM \(stream.table)")[0].text(0, 0) == before)
    }

    @Test(
        "A table whose rows no record made is not taken over, and what to do is said in one sentence",
        arguments: [
            (events, "CREATE TABLE events (n bigint, t text, at timestamptz); INSERT INTO events VALUES (1)"),
            (
                events,
                """
                CREATE TABLE events (id int PRIMARY KEY, n bigint, t text, at timestamptz);
                CREATE TABLE other (id int REFERENCES events)
                """
            ),
            (items, "CREATE TABLE items (id text, n int); INSERT INTO items VALUES ('a', 1), ('a', 2)"),
            (items, "CREATE TABLE items (n int); INSERT INTO items VALUES (1)"),
        ] as [(StreamDefinition, String)])
    func refuses(stream: StreamDefinition, sql: String) throws {
        var connection = try database(sql)
        let lines = try TableCheck([stream], addsColumns: true).run(on: &connection)
        #expect(lines.count == 1 && lines[0].contains("can't be taken over"), "\(lines)")
        let start = try #require(lines[0].range(of: "(ALTER"))
        let end = try #require(lines[0].range(of: ";)"))
        try connection.execute(String(lines[0][start.lowerBound..<end.lowerBound].dropFirst()))
        try Migrations(schema: MillraceSchema(), streams: [stream]).run(on: &connection)
        #expect(try TableCheck([stream], addsColumns: false).run(on: &connection) == [])
    }

    @Test("A type that would lose values is not changed: the stream's definition is")
    func types() throws {
        var connection = try database(
            """
            CREATE TABLE events (n double precision, t jsonb, at text, source_id int, source_offset bigint,
                PRIMARY KEY (source_id, source_offset))
            """)
        let lines = try TableCheck([Self.events], addsColumns: false).run(on: &connection)
        #expect(lines.count == 3 && !lines.contains { $0.contains("mend it") })
        #expect(lines[0].contains("declare it as 'double precision'") && lines[1].contains("another name"))
    }

    @Test("A definition that Postgres refuses is told by its stream, and nothing of it stays")
    func definitions() throws {
        var connection = try database("SELECT 1")
        let many = (0..<1601).map { Column("c\($0)", .text) }
        let streams = [
            Self.events,
            StreamDefinition(name: "nowhere", topics: ["t"], table: "no.where", mode: .append, columns: many),
            StreamDefinition(name: "wide", topics: ["t"], mode: .append, columns: many),
        ]
        let refusals = try TableCheck(streams, addsColumns: false).refusals(on: &connection)
        #expect(refusals.count == 2)
        #expect(refusals.first?.contains("'nowhere'") == true && refusals.last?.contains("'wide'") == true)
        #expect(try connection.execute("SELECT to_regclass('events') IS NULL")[0].text(0, 0) == "t")
    }

    @Test("Triggers are told by their names")
    func triggers() throws {
        var connection = try database(
            """
            CREATE TABLE events (n bigint);
            CREATE FUNCTION same() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;
            CREATE TRIGGER first BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION same();
            """)
        let notices = try TableCheck([Self.events, Self.items], addsColumns: false).notices(on: &connection)
        #expect(notices.count == 1 && notices[0].contains("(first)"))
    }
}
