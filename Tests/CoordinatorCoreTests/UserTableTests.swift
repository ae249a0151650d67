import Common
import CoordinatorCore
import Foundation
import Postgres
import Schema
import TestSupport
import Testing

@Suite("The table of users", .timeLimit(.minutes(2)))
struct UserTableTests {
    private static let schema = MillraceSchema(name: "mill.race")
    private static let streams = [
        StreamDefinition(
            name: "events", topics: ["e"], mode: .append, key: ["n"], latest: true,
            columns: [Column("n", .bigint, required: true)])
    ]
    private static let old = """
        CREATE TABLE public.users (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, username text NOT NULL UNIQUE,
            password_hash text NOT NULL, role text NOT NULL, created_at timestamptz NOT NULL DEFAULT now(),
            disabled boolean NOT NULL DEFAULT false);
        INSERT INTO public.users (username, password_hash, role, disabled) VALUES ('ada', 'h', 'admin', false), ('bob', 'i', 'viewer', true);
        """

    private func migrate(_ connection: inout Connection) throws {
        try Migrations(schema: Self.schema, streams: Self.streams).run(on: &connection)
    }

    private func names(_ table: String, _ connection: inout Connection) throws -> String? {
        try connection.execute("SELECT string_agg(username || ' ' || disabled, ',' ORDER BY username) FROM \(table)")[0]
            .text(0, 0)
    }

    @Test("Ours in public is taken over once, and stays")
    func takenOver() throws {
        var connection = try Connection.open(parameters: TestPostgres.shared.get().makeDatabase())
        try connection.execute(Self.old)
        try migrate(&connection)
        #expect(try names("\(Self.schema.name).users", &connection) == "ada false,bob true")
        try connection.execute("DELETE FROM \(Self.schema.name).users")
        try migrate(&connection)
        #expect(try names("\(Self.schema.name).users", &connection) == nil)
        #expect(try names("public.users", &connection) == "ada false,bob true")
    }

    @Test(
        "Somebody else's in public is left alone, and none is made there",
        arguments: [
            "CREATE TABLE public.users (id uuid PRIMARY KEY, username text, password_hash text, role text, created_at timestamptz, disabled boolean)",
            "CREATE TABLE public.users (id bigint, username text, password_hash text, role text, created_at timestamptz, disabled boolean, email text)",
            "CREATE VIEW public.users AS SELECT 1::bigint AS id, ''::text AS username, ''::text AS password_hash, ''::text AS role, now() AS created_at, false AS disabled",
            "",
        ])
    func foreign(sql: String) throws {
        var connection = try Connection.open(parameters: TestPostgres.shared.get().makeDatabase())
        if !sql.isEmpty { try connection.execute(sql) }
        try migrate(&connection)
        #expect(try names("\(Self.schema.name).users", &connection) == nil)
        #expect(
            try connection.execute("SELECT to_regclass('public.users') IS NULL")[0].text(0, 0)
                == (sql.isEmpty ? "t" : "f"))
    }

    @Test(
        "With what init-db prints an edge's role reads rows and one user's hash, and neither the table of users nor more"
    )
    func grants() throws {
        var parameters = try TestPostgres.shared.get().makeDatabase()
        var owner = try Connection.open(parameters: parameters)
        try migrate(&owner)
        try owner.execute(
            "INSERT INTO \(Self.schema.name).users (username, password_hash, role) VALUES ('ada', 'h', 'admin')")
        let role = "e_\(UUID().uuidString.prefix(8).lowercased())"
        try owner.execute("CREATE ROLE \(role) LOGIN")
        parameters["user"] = role
        var edge = try Connection.open(parameters: parameters)
        let login = "SELECT password_hash, role, disabled FROM \(Self.schema.name).user_login('ada')"
        #expect(throws: PostgresError.self) { try edge.execute(login) }
        for statement in EdgeGrants(schema: Self.schema, streams: Self.streams).statements(for: role) {
            try owner.execute(statement)
        }
        let found = try edge.execute(login)[0]
        #expect(
            found.rowCount == 1 && found.text(0, 0) == "h" && found.text(0, 1) == "admin" && found.text(0, 2) == "f")
        #expect(try edge.execute("SELECT FROM \(Self.schema.name).user_login('nobody')")[0].rowCount == 0)
        #expect(try edge.execute("SELECT FROM \(Self.schema.name).user_states(ARRAY['ada', 'bob'])")[0].rowCount == 1)
        try edge.execute(
            "SELECT FROM public.events; SELECT FROM public.events_latest; SELECT FROM \(Self.schema.name).stream")
        for sql in ["SELECT FROM \(Self.schema.name).users", "INSERT INTO public.events VALUES (1, 1, 1)"] {
            #expect(throws: PostgresError.self) { try edge.execute(sql) }
        }
    }
}
