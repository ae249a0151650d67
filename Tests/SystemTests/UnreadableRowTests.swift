import Common
import Foundation
import TestSupport
import Testing

/// What clients of an edge see of a table to which others did something.
@Suite("Rows that others changed or hid, seen by clients", .serialized, .timeLimit(.minutes(5)))
struct UnreadableRowTests {
    private static let events = StreamDefinition(
        name: "events", topics: [], mode: .append, columns: [Column("d", .double), Column("at", .timestamp)])

    /// `sql`, `begin` that subscribes from the first offset, and what is told of rows that can't be read.
    private func prelude(_ fleet: Fleet) throws -> String {
        let place = fleet.postgres
        return """
            import subprocess
            def sql(text):
                subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-h", "\(place["host"]!)", "-U",
                    "\(place["user"]!)", "-d", "\(place["dbname"]!)", "-c", text], check=True)
            source = \(try fleet.rows("SELECT id FROM millrace.source")[0])
            epoch = "\(try fleet.rows("SELECT epoch FROM millrace.stream WHERE name = 'events'")[0])"
            def begin(c, position={}):
                while True:
                    answer = ask(c, {"type": "subscribe", "id": 7, "stream": "events",
                        "from": {"epoch": epoch, "position": position}})
                    # Not followed yet.
                    if answer.get("code") != "unavailable": return answer
                    time.sleep(0.05)
            def told(message): return message["type"], message["code"], "events" in message["message"], message["retry_after_ms"]

            """
    }

    /// An edge whose role is no superuser's, as it should be: policies hold for it.
    private func edge(_ fleet: Fleet) throws -> EdgeUnderTest {
        try fleet.execute(
            """
            DO $$ BEGIN
                IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'edge_reader') THEN
                    CREATE ROLE edge_reader LOGIN;
                END IF;
                EXECUTE format('ALTER ROLE edge_reader IN DATABASE %I SET extra_float_digits = -3', current_database());
            END $$;
            GRANT USAGE ON SCHEMA millrace TO edge_reader;
            GRANT SELECT ON ALL TABLES IN SCHEMA millrace, public TO edge_reader;
            """)
        return try EdgeUnderTest(fleet, name: "one", environment: ["PGUSER": "edge_reader"])
    }

    /// One that has rows of all its sources' first `count` offsets, and no coordinator any more: what is committed from
    /// then on no worker publishes.
    private func leftAlone(_ count: Int64) throws -> (Fleet, EdgeUnderTest) {
        let fleet = try Fleet(Self.events, partitions: 1)
        try fleet.launch(shards: 1)
        try fleet.waitForStatus("a running source") { $0.sources.first?.state == "running" }
        try fleet.kafka.produce((0..<count).map { #"{"d":\#($0)}"# }, to: fleet.topic, partition: 0)
        try fleet.waitForRecords(count)
        let edge = try edge(fleet)
        let web = try HTTPClient(edge.address)
        try fleet.wait("an edge that is ready", seconds: 60) { try web.get("/readyz").status == 200 }
        fleet.signal(SIGTERM)
        #expect(fleet.waitForExit() == ExitCode.success.rawValue)
        return (fleet, edge)
    }

    @Test("A number is the same live and read again, and rows that a policy hides are an error, never a gap")
    func policy() throws {
        let fleet = try Fleet(Self.events, partitions: 1)
        try fleet.launch(shards: 1)
        try fleet.waitForStatus("a running source") { $0.sources.first?.state == "running" }
        let edge = try edge(fleet)
        let lines = try edge.run(
            """
            \(prelude(fleet))
            live = v1()
            begin(live)
            post("/v1/streams/events", '{"d":0.30000000000000004}')
            print(heard(live, "rows")["rows"])
            again = v1()
            begin(again)
            print(heard(again, "rows")["rows"])
            sql("ALTER TABLE events ENABLE ROW LEVEL SECURITY")
            late = v1()
            print(*told(begin(late)))
            try: urllib.request.urlopen(web + "/v1/streams/events/rows")
            except urllib.error.HTTPError as error: print(error.status, json.loads(error.read())["error"]["code"])
            sql("ALTER TABLE events DISABLE ROW LEVEL SECURITY")
            print(begin(late)["recovered"], heard(late, "rows")["rows"])
            """)
        let row = "[{'d': 0.30000000000000004, 'at': None}]"
        #expect(
            lines == [row, row, "error unreadable True 30000", "503 unreadable", "True " + row])
        // What proves must not count rows that it doesn't see either.
        try fleet.execute("ALTER TABLE events ENABLE ROW LEVEL SECURITY")
        let output = try fleet.command(["verify"], environment: ["PGUSER": "edge_reader"])
        #expect(
            output.code != 0 && output.errors.contains(#"row-level security policy for table "events""#), "\(output)")
    }

    @Test(
        "A subscriber whose next rows can't be read is told which table stands in the way, once, and goes on when it is mended"
    )
    func gap() throws {
        let (fleet, edge) = try leftAlone(10)
        let lines = try edge.run(
            """
            \(prelude(fleet))
            c = v1()
            position = begin(c, {str(source): 10})["position"]
            sql(f"ALTER TABLE events ENABLE ROW LEVEL SECURITY; INSERT INTO events VALUES (0.5, NULL, {source}, 10);"
                "UPDATE millrace.source SET next_offset = 11")
            print(*told(heard(c, "error", "rows")))
            # It ended: the same position can be asked for again, and is refused until it can be read.
            print(*told(begin(c, position)))
            print(*told(ask(c, {"type": "subscribe", "id": 8, "stream": "events"})))
            sql("ALTER TABLE events DISABLE ROW LEVEL SECURITY")
            while (answer := begin(c, position)).get("code") == "unreadable": time.sleep(0.1)
            print(answer["recovered"], heard(c, "rows", "error").get("rows"))
            """)
        let told = "error unreadable True 30000"
        #expect(lines == [told, told, told, "True [{'d': 0.5, 'at': None}]"])
    }

    @Test("What a trigger changes or keeps out reaches clients as it is stored, live and again")
    func trigger() throws {
        let fleet = try Fleet(Self.events, partitions: 1)
        try fleet.launch(shards: 1)
        try fleet.waitForStatus("a running source") { $0.sources.first?.state == "running" }
        let edge = try edge(fleet)
        let lines = try edge.run(
            """
            \(prelude(fleet))
            sql("CREATE FUNCTION judge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                "    IF new.d = 1 THEN RETURN NULL; END IF; new.d := new.d * 2; RETURN new; END $$;"
                "CREATE TRIGGER judge BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION judge()")
            def rows(c):
                found, seen = [], 0
                while seen < 4:
                    message = heard(c, "rows", "progress", "error")
                    found += [row["d"] for row in message.get("rows", [])]
                    seen = message["position"].get(str(source), seen)
                return found
            live, again = v1(), v1()
            begin(live)
            post("/v1/streams/events", '[{"d":0.5},{"d":1},{"d":2},{"d":3}]')
            print(rows(live))
            begin(again)
            print(rows(again))
            """)
        #expect(lines == ["[1, 4, 6]", "[1, 4, 6]"])
        #expect(try fleet.rows("SELECT d FROM events ORDER BY source_offset") == ["1", "4", "6"])
        #expect(try fleet.rows("SELECT source_offset FROM millrace.dead_letter") == ["1"])
    }

    @Test("Values that no record brings reach clients in one form, live and again; a column of another type is told")
    func odd() throws {
        let (fleet, edge) = try leftAlone(0)
        let lines = try edge.run(
            """
            \(prelude(fleet))
            live = v1()
            begin(live)
            sql(f"INSERT INTO events VALUES ('NaN', 'infinity', {source}, 0), ('-infinity', '0044-03-15 BC', {source}, 1);"
                "UPDATE millrace.source SET next_offset = 2")
            first = heard(live, "rows", "error")
            again = v1()
            begin(again)
            print(first["rows"], first["rows"] == heard(again, "rows", "error")["rows"])
            with plain("?subscribe=events") as watcher:
                sql("ALTER TABLE events ALTER COLUMN d TYPE text USING 'much';"
                    f"INSERT INTO events VALUES ('more', NULL, {source}, 2); UPDATE millrace.source SET next_offset = 3")
                print(*told(heard(live, "rows", "error")), *told(heard(again, "rows", "error")))
                try: watcher.recv(timeout=60)
                except ConnectionClosed as closed: print(closed.rcvd.code, closed.rcvd.reason)
            late = v1()
            print(*told(begin(late)))
            """)
        let told = "error unreadable True 30000"
        #expect(
            lines == [
                "[{'d': 'NaN', 'at': 'infinity'}, {'d': '-Infinity', 'at': '-000043-03-15T00:00:00.000000Z'}] True",
                "\(told) \(told)",
                "1011 rows of events can't be read: column d of events is not of type double precision", told,
            ])
    }
}
