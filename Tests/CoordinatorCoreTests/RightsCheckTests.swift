import Common
import CoordinatorCore
import Foundation
import Postgres
import Schema
import TestSupport
import Testing

/// A fleet as a role that may do what it has to, and no more.
@Suite("Rights in Postgres", .timeLimit(.minutes(3)))
struct RightsCheckTests {
    private static let streams = [
        StreamDefinition(
            name: "events", topics: ["e"], mode: .append, key: ["t"], latest: true,
            columns: [Column("n", .bigint, required: true), Column("t", .text, required: true)],
            retain: RetentionPeriod("30d")),
        StreamDefinition(
            name: "items", topics: ["i"], table: "ops.items", mode: .upsert, key: ["id"],
            columns: [Column("id", .text, required: true), Column("n", .integer)]),
    ]
    private static let schema = MillraceSchema(name: "mill.race")

    /// What its owner connects with, and a role that may nothing.
    private func database() throws -> (owner: [String: String], limited: [String: String]) {
        var parameters = try TestPostgres.shared.get().makeDatabase()
        var owner = try Connection.open(parameters: parameters)
        let role = "r_\(UUID().uuidString.prefix(8).lowercased())"
        try owner.execute(
            """
            CREATE ROLE \(role) LOGIN; CREATE SCHEMA ops;
            REVOKE ALL ON DATABASE \(parameters["dbname"]!) FROM PUBLIC; GRANT CONNECT ON DATABASE \(parameters["dbname"]!) TO \(role);
            REVOKE ALL ON SCHEMA public FROM PUBLIC;
            """)
        let mighty = parameters
        parameters["user"] = role
        return (mighty, parameters)
    }

    /// Applies what is said until nothing is; every statement that was.
    private func grant(_ owner: inout Connection, _ limited: inout Connection) throws -> [String] {
        var statements: [String] = []
        for _ in 0..<10 {
            let missing = try RightsCheck(Self.streams, schema: Self.schema).run(on: &limited)
            if missing.isEmpty { return statements }
            for line in missing {
                let part = try #require(
                    line.split(separator: "; ").last { $0.hasPrefix("GRANT") || $0.hasPrefix("ALTER") })
                let statement = String(part[...(part.firstIndex(of: ";") ?? part.index(before: part.endIndex))])
                try owner.execute(statement)
                statements.append(statement)
            }
        }
        Issue.record("it does not end: \(statements)")
        return statements
    }

    @Test("What init-db prints makes all of it, as it stands, once and again")
    func printed() throws {
        var connection = try Connection.open(parameters: TestPostgres.shared.get().makeDatabase())
        try connection.execute("CREATE SCHEMA ops")
        let migrations = Migrations(schema: Self.schema, streams: Self.streams)
        try connection.execute(migrations.sql)
        try connection.execute(migrations.sql)
        #expect(try migrations.found(on: &connection) == migrations.version)
        #expect(try TableCheck(Self.streams, addsColumns: false).run(on: &connection) == [])
    }

    @Test("A role that may not create anything starts where all is there, with the grants that are named")
    func leastPrivilege() throws {
        let database = try database()
        var owner = try Connection.open(parameters: database.owner)
        let migrations = Migrations(schema: Self.schema, streams: Self.streams)
        try owner.execute(migrations.sql)
        var limited = try Connection.open(parameters: database.limited)
        let statements = try grant(&owner, &limited)
        #expect(!statements.contains { $0.contains("CREATE") }, "\(statements)")
        #expect(statements.contains { $0.hasPrefix("GRANT TEMP ON DATABASE") })
        #expect(statements.contains { $0.hasPrefix("GRANT SELECT, INSERT, DELETE ON \"public\".\"events\" TO") })
        try migrations.run(on: &limited)
        #expect(throws: PostgresError.self) { try limited.execute("CREATE TABLE public.other ()") }
    }

    @Test("In an empty database the rights to create are named, and are enough")
    func creating() throws {
        let database = try database()
        var owner = try Connection.open(parameters: database.owner)
        var limited = try Connection.open(parameters: database.limited)
        let missing = try RightsCheck(Self.streams, schema: Self.schema).run(on: &limited)
        #expect(missing.contains { $0.contains("GRANT CREATE ON DATABASE") && $0.hasSuffix("coordinator init-db") })
        _ = try grant(&owner, &limited)
        let migrations = Migrations(schema: Self.schema, streams: Self.streams)
        try migrations.run(on: &limited)
        #expect(try RightsCheck(Self.streams, schema: Self.schema).run(on: &limited) == [])
    }

    @Test("A policy that hides rows is told")
    func policies() throws {
        let database = try database()
        var owner = try Connection.open(parameters: database.owner)
        try owner.execute(Migrations(schema: Self.schema, streams: Self.streams).sql)
        try owner.execute("ALTER TABLE public.events ENABLE ROW LEVEL SECURITY")
        var limited = try Connection.open(parameters: database.limited)
        let statements = try grant(&owner, &limited)
        #expect(statements.contains { $0.hasSuffix("BYPASSRLS;") }, "\(statements)")
    }

    @Test("An older program neither replaces functions of a newer one nor makes anything")
    func older() throws {
        var connection = try Connection.open(parameters: TestPostgres.shared.get().makeDatabase())
        try connection.execute("CREATE SCHEMA ops")
        let migrations = Migrations(schema: Self.schema, streams: Self.streams)
        try migrations.run(on: &connection)
        let schema = Self.schema.name
        try connection.execute(
            """
            INSERT INTO \(schema).migration (version) VALUES (\(migrations.version + 1));
            CREATE OR REPLACE FUNCTION \(schema).drop_claim(held uuid, ids int[]) RETURNS void LANGUAGE sql AS 'SELECT -- newer';
            """)
        let state =
            "SELECT string_agg(xmin::text, ',' ORDER BY oid) FROM pg_proc WHERE pronamespace = '\(schema)'::regnamespace"
        let before = try connection.execute(state)[0].text(0, 0)
        try migrations.run(on: &connection)
        #expect(try connection.execute(state)[0].text(0, 0) == before)
    }

    /// Of the released text of the functions. Another text needs another version: see `Migrations.steps`.
    private static let functions = (version: 9, checksum: UInt64(13725488013231948206))

    @Test("Functions that change are a new version")
    func functionsVersion() {
        let migrations = Migrations(schema: MillraceSchema(), streams: [])
        let checksum = RecordChecksum.of(migrations.functions)
        #expect(
            migrations.version == Self.functions.version && checksum == Self.functions.checksum,
            "move the functions to the end of Migrations.steps, and then write here: version \(migrations.version), \(checksum)"
        )
    }
}
