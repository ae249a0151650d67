package import Common
package import Postgres
package import Schema

/// What the role that is logged in lacks to run a fleet: a sentence each, with the statement by which somebody else gives it.
package struct RightsCheck {
    private let schema: MillraceSchema
    private let streams: [StreamDefinition]

    package init(_ streams: [StreamDefinition], schema: MillraceSchema) {
        self.streams = streams
        self.schema = schema
    }

    package func run(on connection: inout Connection) throws(PostgresError) -> [String] {
        let own = try connection.execute("SELECT quote_ident(current_user), quote_ident(current_database())")[0]
        let login = Login(role: own.text(0, 0)!, database: own.text(0, 1)!)
        var missing = try ofDatabase(login, &connection)
        missing += try ofOwnTables(login, &connection)
        for stream in streams {
            let isKept = stream.retain == nil
            let keyed = ["SELECT", "INSERT", "UPDATE"] + (isKept ? [] : ["DELETE"])
            missing += try ofStream(
                stream.table, stream.isKeyed ? keyed : ["SELECT", "INSERT"] + (isKept ? [] : ["DELETE"]), login,
                &connection)
            if stream.latest { missing += try ofStream(stream.latestTable, keyed, login, &connection) }
        }
        // Streams share schemas.
        return missing.enumerated().filter { !missing[..<$0.offset].contains($0.element) }.map(\.element)
    }

    private struct Login {
        var role: String
        var database: String

        func lacks(_ what: String, _ rights: [String], on object: String) -> String {
            let list = rights.joined(separator: ", ")
            return "role \(role) may not \(list) \(what); GRANT \(list) ON \(object) TO \(role);"
        }
    }

    private func isTrue(_ expression: String, _ connection: inout Connection) throws(PostgresError) -> Bool {
        try connection.execute("SELECT \(expression)")[0].text(0, 0) == "t"
    }

    /// Keyed rows go through a temporary table.
    private func ofDatabase(_ login: Login, _ connection: inout Connection) throws(PostgresError) -> [String] {
        guard streams.contains(where: { $0.isKeyed || $0.latest }),
            !(try isTrue("has_database_privilege(current_database(), 'TEMP')", &connection))
        else { return [] }
        return [login.lacks("in database \(login.database)", ["TEMP"], on: "DATABASE \(login.database)")]
    }

    private func ofOwnTables(_ login: Login, _ connection: inout Connection) throws(PostgresError) -> [String] {
        let migrations = Migrations(schema: schema, streams: [])
        let name = try connection.literal(schema.unquotedName)
        guard try Migrations.hasSchema(schema.unquotedName, on: &connection) else {
            if try isTrue("has_database_privilege(current_database(), 'CREATE')", &connection) { return [] }
            return [
                login.lacks("schemas in database \(login.database)", ["CREATE"], on: "DATABASE \(login.database)")
                    + " or have somebody who may run: coordinator init-db"
            ]
        }
        guard try isTrue("has_schema_privilege(\(name), 'USAGE')", &connection) else {
            return [login.lacks("schema \(schema.name)", ["USAGE"], on: "SCHEMA \(schema.name)")]
        }
        var missing: [String] = []
        for table in ["migration", "stream", "source", "ledger", "dead_letter", "change", "audit", "member"] {
            guard try Migrations.exists(table, in: schema.unquotedName, on: &connection) else { continue }
            let rights = table == "migration" ? ["SELECT"] : ["SELECT", "INSERT", "UPDATE", "DELETE"]
            missing += try of("\(schema.name).\(Connection.identifier(table))", rights, login, &connection)
        }
        // Those that run with their owner's rights are for edges.
        let functions = """
            (SELECT coalesce(bool_and(has_function_privilege(oid, 'EXECUTE')), true) FROM pg_proc
             WHERE pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = \(name)) AND NOT prosecdef)
            """
        if !(try isTrue(functions, &connection)) {
            missing.append(
                login.lacks("functions", ["EXECUTE"], on: "ALL FUNCTIONS IN SCHEMA \(schema.name)"))
        }
        guard missing.isEmpty else { return missing }
        let found = try migrations.found(on: &connection)
        let isOwner =
            "(SELECT pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = \(name))"
        guard found < migrations.version, !(try isTrue(isOwner, &connection)) else { return [] }
        return [
            "schema \(schema.name) has version \(found) and this program needs \(migrations.version), but role \(login.role) "
                + "does not own it; have its owner run: coordinator init-db"
        ]
    }

    /// - Parameter rights: to a stream's table that is there; to make one that is not, its schema's.
    private func ofStream(
        _ table: String, _ rights: [String], _ login: Login, _ connection: inout Connection
    ) throws(PostgresError) -> [String] {
        let (schema, bare) = Connection.schemaAndTable(table)
        let schemaName = Connection.identifier(schema)
        // That it is not there is told by what Postgres says against the stream's definition.
        guard try Migrations.hasSchema(schema, on: &connection) else { return [] }
        let literal = try connection.literal(schema)
        guard try isTrue("has_schema_privilege(\(literal), 'USAGE')", &connection) else {
            return [login.lacks("schema \(schemaName)", ["USAGE"], on: "SCHEMA \(schemaName)")]
        }
        guard try Migrations.exists(bare, in: schema, on: &connection) else {
            if try isTrue("has_schema_privilege(\(literal), 'CREATE')", &connection) { return [] }
            return [
                login.lacks("tables in schema \(schemaName)", ["CREATE"], on: "SCHEMA \(schemaName)")
                    + " or have somebody who may run: coordinator init-db"
            ]
        }
        return try of(Connection.table(table), rights, login, &connection)
    }

    /// - Parameter table: quoted, with its schema.
    private func of(
        _ table: String, _ rights: [String], _ login: Login, _ connection: inout Connection
    ) throws(PostgresError) -> [String] {
        let name = try connection.literal(table)
        var lacking: [String] = []
        for right in rights where !(try isTrue("has_table_privilege(\(name), '\(right)')", &connection)) {
            lacking.append(right)
        }
        var missing = lacking.isEmpty ? [] : [login.lacks("table \(table)", lacking, on: table)]
        if try isTrue("row_security_active(\(name))", &connection) {
            missing.append(
                "a policy hides rows of table \(table) from role \(login.role), and a feed would miss them; "
                    + "ALTER ROLE \(login.role) BYPASSRLS;")
        }
        return missing
    }
}
