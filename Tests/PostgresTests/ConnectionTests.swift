import Common
import Postgres
import TestSupport
import Testing

@Suite("Postgres connections", .timeLimit(.minutes(2)))
struct ConnectionTests {
    private func open() throws -> Connection {
        try Connection.open(parameters: TestPostgres.shared.get().makeDatabase())
    }

    private func failure(_ connection: inout Connection, _ script: Script) -> PostgresError? {
        do throws(PostgresError) {
            try connection.execute(script)
            return nil
        } catch { return error }
    }

    @Test("A transaction with two COPYs between its statements is one script")
    func scriptWithCopies() throws {
        var connection = try open()
        try connection.execute(
            "CREATE TABLE a (n int8, t text); CREATE TABLE b (d float8, at timestamptz, u uuid, f bool)")
        var first = ByteWriter()
        first.copyStart()
        for index in 0..<10_000 {
            first.copyRow(fieldCount: 2)
            first.copyField(Int64(index))
            if index == 5 { first.copyNull() } else { first.copyField("row \(index)") }
        }
        first.copyEnd()
        let uuid = UUIDValue.random()
        var second = ByteWriter()
        second.copyStart()
        second.copyRow(fieldCount: 4)
        second.copyField(0.1)
        second.copyField(Int64(1))
        second.copyField(uuid)
        second.copyField(true)
        second.copyEnd()
        let results = try connection.execute(
            Script(
                """
                BEGIN; SELECT 'before'; COPY a FROM STDIN (FORMAT binary); COPY b FROM STDIN (FORMAT binary);
                SELECT count(*), count(t), sum(n) FROM a; SELECT * FROM b; COMMIT
                """, copies: [CopyData(Array(first.bytes)), CopyData(Array(second.bytes))]))
        #expect(results.count == 3 && results[0].text(0, 0) == "before")
        #expect(results[1].integer(0, 0) == 10_000 && results[1].integer(0, 1) == 9_999)
        #expect(results[1].integer(0, 2) == 49_995_000)
        #expect(results[2].text(0, 0) == "0.1" && results[2].text(0, 2) == uuid.description)
        #expect(results[2].text(0, 1) == "2000-01-01 00:00:00.000001+00")
    }

    @Test("A session reads in one form whatever the database, the role and PGOPTIONS set, also after a rollback")
    func settings() throws {
        let own = [
            "client_encoding": "LATIN1", "DateStyle": "SQL, DMY", "TimeZone": "Asia/Kathmandu",
            "IntervalStyle": "iso_8601", "extra_float_digits": "-3", "bytea_output": "escape",
            "standard_conforming_strings": "off", "row_security": "on", "synchronous_commit": "off",
        ]
        var parameters = try TestPostgres.shared.get().makeDatabase()
        let database = try #require(parameters["dbname"])
        var first = try Connection.open(parameters: parameters)
        for (name, value) in own {
            try first.execute("ALTER DATABASE \(database) SET \(name) = \(first.literal(value))")
        }
        parameters["options"] = own.map { "-c \($0.key)=\($0.value.replacing(" ", with: "\\ "))" }.joined(
            separator: " ")
        var connection = try Connection.open(parameters: parameters)
        let shown = """
            SELECT '0.1'::float8 + 0.2, '2026-07-01 12:00:00+02'::timestamptz, '\\x5c'::bytea, 'a\\b', '1 day'::interval,
                current_setting('row_security'), current_setting('synchronous_commit'), 'é'
            """
        let wanted = ["0.30000000000000004", "2026-07-01 10:00:00+00", "\\x5c", "a\\b", "1 day", "off", "on", "é"]
        func read(_ connection: inout Connection) throws -> [String?] {
            let result = try connection.execute(shown)[0]
            return (0..<result.columnCount).map { result.text(0, $0) }
        }
        #expect(try read(&connection) == wanted)
        #expect(failure(&connection, Script("BEGIN; SELECT 1/0; COMMIT"))?.sqlState == "22012")
        #expect(try read(&connection) == wanted)
    }

    @Test("A statement that raises cancels the rest, COPY included, and leaves the connection ready")
    func failingScript() throws {
        var connection = try open()
        try connection.execute("CREATE TABLE a (n int8)")
        let error = failure(
            &connection,
            Script("BEGIN; INSERT INTO a VALUES (1); SELECT 1/0; COPY a FROM STDIN; COMMIT", copies: [CopyData()]))
        #expect(error?.sqlState == "22012" && error?.disposition == .record)
        #expect(try connection.execute("SELECT count(*) FROM a")[0].integer(0, 0) == 0)
    }

    @Test("A row that COPY refuses undoes the transaction")
    func refusedRow() throws {
        var connection = try open()
        try connection.execute("CREATE TABLE a (n int8 CHECK (n > 0))")
        let script = Script("BEGIN; COPY a FROM STDIN; COMMIT", copies: [CopyData(Array("1\n-1\n".utf8))])
        let error = failure(&connection, script)
        #expect(error?.sqlState == "23514" && error?.constraint == "a_n_check")
        #expect(try connection.execute("SELECT count(*) FROM a")[0].integer(0, 0) == 0)
    }

    @Test("A backend that is terminated in the middle is an outage")
    func terminated() throws {
        var connection = try open()
        let error = failure(&connection, Script("SELECT pg_terminate_backend(pg_backend_pid()); SELECT 1"))
        #expect(error?.disposition == .outage)
        // Using it again is the same outage, not a crash.
        #expect(failure(&connection, Script("SELECT 1"))?.disposition == .outage)
    }

    @Test("A statement that gets no answer in time breaks its connection")
    func timeout() throws {
        var connection = try open()
        #expect(throws: PostgresError.self) {
            try connection.execute("SELECT pg_sleep(60)", timeout: .milliseconds(50))
        }
        #expect(failure(&connection, Script("SELECT 1"))?.disposition == .outage)
    }

    @Test(
        "SQLSTATEs are told apart by what is to be done",
        arguments: [
            ("08006", .outage), ("57P01", .outage), ("53300", .outage), ("25006", .outage), ("", .outage),
            ("40P01", .retryTransaction), ("40001", .retryTransaction), ("22003", .record), ("23502", .record),
            ("54000", .record), ("MR002", .record), ("MR001", .claimLost), ("42P01", .stream), ("28P01", .stream),
            ("XX000", .stream), ("57014", .timeout), ("P0001", .record), ("21000", .record), ("MR003", .tableChanged),
            ("MR004", .record),
        ] as [(String, PostgresError.Disposition)])
    func dispositions(state: String, expected: PostgresError.Disposition) {
        #expect(PostgresError(operation: "test", sqlState: state, message: "").disposition == expected)
    }

    @Test(
        "A row that is there already breaks an invariant on the key of ours, and on the user's own index it is refused")
    func uniqueViolations() {
        func disposition(_ constraint: String, _ detail: String) -> PostgresError.Disposition {
            PostgresError(operation: "test", sqlState: "23505", message: "", detail: detail, constraint: constraint)
                .disposition
        }
        #expect(disposition("readings_pkey", "Key (source_id, source_offset)=(1, 2) already exists.") == .stream)
        #expect(disposition("readings_pkey", "") == .stream)
        #expect(disposition("readings_label_key", "") == .record)
        #expect(disposition("readings_label_pkey", "Key (label)=(a) already exists.") == .record)
    }

    @Test("A server that isn't there is an outage, a user that isn't there is not")
    func refusedConnections() throws {
        func failure(_ parameters: [String: String]) -> PostgresError? {
            do throws(PostgresError) {
                let connection = try Connection.open(parameters: parameters)
                _ = consume connection
                return nil
            } catch { return error }
        }
        var parameters = try TestPostgres.shared.get().parameters(database: "postgres")
        #expect(failure(parameters.merging(["user": "nobody"]) { $1 })?.disposition == .stream)
        #expect(failure(parameters.merging(["dbname": "none"]) { $1 })?.disposition == .stream)
        parameters["host"] = "/nonexistent"
        let away = try #require(failure(parameters))
        #expect(away.disposition == .outage && away.message.contains("/nonexistent"), "\(away)")
    }

    @Test("Identifiers and literals are quoted whatever they hold")
    func quoting() throws {
        var connection = try open()
        let name = "a\"; DROP TABLE x; --"
        let quoted = try connection.literal("it's \\ \"\n")
        try connection.execute("CREATE TABLE \(Connection.identifier(name)) (t text)")
        try connection.execute("INSERT INTO \(Connection.identifier(name)) VALUES (\(quoted))")
        #expect(try connection.execute("SELECT t FROM \(Connection.identifier(name))")[0].text(0, 0) == "it's \\ \"\n")
    }

    @Test("What was stored is read back as the value it was", arguments: ColumnType.allCases)
    func storedValues(type: ColumnType) throws {
        var connection = try open()
        let texts: [ColumnType: [String]] = [
            .text: ["", "é\"\\"], .uuid: ["00000000-0000-4000-8000-00000000000f"], .boolean: ["true", "false"],
            .integer: ["-2147483648"], .bigint: ["9223372036854775807"], .double: ["0.1", "-0", "1e+16", "5e-324"],
            .timestamp: ["1969-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.000000Z"],
        ]
        for text in try #require(texts[type]) {
            let literal = try connection.literal(text)
            let result = try connection.execute("SELECT \(literal)::\(type.rawValue)")[0]
            let value = try #require(ColumnValue(stored: result.bytes(0, 0), type: type))
            var writer = ByteWriter()
            let keys = CanonicalJSON.Keys([Column("v", type)])
            withUnsafePointer(to: value) {
                CanonicalJSON.write(row: UnsafeBufferPointer(start: $0, count: 1), keys: keys, to: &writer)
            }
            let quoted = [.text, .uuid, .timestamp].contains(type)
            let escaped = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            #expect(
                String(decoding: writer.bytes, as: UTF8.self) == "{\"v\":" + (quoted ? "\"\(escaped)\"" : text) + "}")
        }
    }

    @Test("A login that will never do is told from a server that is away, whatever the server's language")
    func failedLogins() throws {
        let server = try TestPostgres.shared.get()
        let good = try server.makeDatabase()
        func failure(_ changes: [String: String]) -> PostgresError? {
            do throws(PostgresError) {
                _ = try Connection.open(parameters: good.merging(changes) { $1 })
                return nil
            } catch {
                return error
            }
        }
        let noDatabase = failure(["dbname": "there_is_none"])
        #expect(noDatabase?.sqlState == "3D000" && noDatabase?.disposition == .stream)
        #expect(noDatabase?.message.contains("LOCATION") == false && noDatabase?.message.contains("3D000") == false)
        #expect(failure(["user": "nobody_of_that_name"])?.sqlState == "28000")
        for wrong in [["sslmode": "perhaps"], ["port": "many"], ["service": "none"]] {
            #expect(failure(wrong)?.disposition == .stream, "\(wrong)")
        }
        #expect(failure(["host": "127.0.0.1", "port": "1"])?.disposition == .outage)
        #expect(failure(["host": "there.is.no.such.host.invalid"])?.disposition == .outage)
    }
}
