import Accounts
package import Common
import Postgres
import Schema

/// Who may sign in at a fleet's edges: made, changed and disabled by commands, each with a line in the audit. Blocking.
package struct UserAccounts: ~Copyable {
    package struct User: Sendable, Codable, Equatable {
        package var name: String
        package var role: String
        package var disabled: Bool
        package var createdAt: String
        /// Tokens from before count no more.
        package var changedAt: String

        private enum CodingKeys: String, CodingKey {
            case name, role, disabled
            case createdAt = "created_at"
            case changedAt = "changed_at"
        }
    }

    private let schema: MillraceSchema
    private let streams: [StreamDefinition]
    private var connection: Connection

    package init(_ configuration: CoordinatorConfiguration) throws(StartError) {
        let connection: Connection
        do throws(PostgresError) { connection = try Connection.open(parameters: configuration.postgres) } catch {
            throw StartError("Postgres: \(error)", error.disposition == .outage ? .unavailable : .configuration)
        }
        self.init(configuration, connection)
    }

    private init(_ configuration: CoordinatorConfiguration, _ connection: consuming Connection) {
        schema = MillraceSchema(name: configuration.schema)
        streams = configuration.streams
        self.connection = connection
    }

    /// By name.
    package mutating func list() throws(StartError) -> [User] {
        let time = { (column: String) in "to_char(\(column) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')" }
        let found = try execute(
            "SELECT username, role, disabled, \(time("created_at")), \(time("changed_at")) FROM \(schema.name).users ORDER BY 1"
        )
        return (0..<found.rowCount).map { row in
            User(
                name: found.text(row, 0)!, role: found.text(row, 1)!, disabled: found.text(row, 2) == "t",
                createdAt: found.text(row, 3)!, changedAt: found.text(row, 4)!)
        }
    }

    package mutating func add(_ name: String, role: String, password: String, by: String) throws(StartError) {
        if let problem = AccountRules.problem(ofUser: name) { throw StartError(problem, .usage) }
        try require(role: role)
        let hash = try hash(password)
        let values = try "\(literal(name)), \(literal(hash)), \(literal(role))"
        let made = try change(
            "INSERT INTO \(schema.name).users (username, password_hash, role) VALUES (\(values)) ON CONFLICT DO NOTHING",
            "user add", #"'role', u.role"#, by: by)
        guard made else { throw StartError("there is a user '\(name)' already", .usage) }
    }

    /// Holds for what users ask from now on; edges notice within seconds.
    package mutating func setRole(of name: String, to role: String, by: String) throws(StartError) {
        try require(role: role)
        try update(name, "role = \(literal(role))", "user set-role", #"'role', u.role"#, by: by)
    }

    /// Whoever has signed in with the old one has to sign in again.
    package mutating func setPassword(of name: String, to password: String, by: String) throws(StartError) {
        try requireUser(name)
        let hash = try hash(password)
        try update(name, "password_hash = \(literal(hash)), changed_at = now()", "user set-password", nil, by: by)
    }

    package mutating func setDisabled(_ name: String, _ isDisabled: Bool, by: String) throws(StartError) {
        try update(
            name, isDisabled ? "disabled = true, changed_at = now()" : "disabled = false",
            isDisabled ? "user disable" : "user enable", nil, by: by)
    }

    /// Before anybody types a password for it.
    package mutating func requireUser(_ name: String) throws(StartError) {
        let names = try list().map(\.name)
        guard !names.contains(name) else { return }
        let near = NearNames.of(name, among: names)
        throw StartError(
            "there is no user '\(name)'" + (near.isEmpty ? "" : "; did you mean \(near.joined(separator: ", "))?"),
            .usage)
    }

    /// A role is one of the usual ones, or one that some stream lists.
    package func require(role: String) throws(StartError) {
        let listed = streams.flatMap { ($0.subscribe ?? []) + ($0.publish ?? []) }
        let known = Role.standard + Set(listed).subtracting(Role.standard).subtracting([Role.anyone]).sorted()
        guard !known.contains(role) else { return }
        let near = NearNames.of(role, among: known).first.map { "did you mean \($0)? " } ?? ""
        throw StartError(
            "there is no role '\(role)'; \(near)There are: \(known.joined(separator: ", ")), and any that a stream lists in "
                + "'subscribe' or 'publish'", .usage)
    }

    private func hash(_ password: String) throws(StartError) -> String {
        if let problem = AccountRules.problem(ofPassword: password) { throw StartError(problem, .usage) }
        guard let hash = PasswordHash(of: password) else {
            throw StartError("there is no memory for the password's hash", .unavailable)
        }
        return hash.text
    }

    private mutating func update(
        _ name: String, _ assignments: String, _ action: String, _ detail: String?, by: String
    ) throws(StartError) {
        let done = try change(
            "UPDATE \(schema.name).users SET \(assignments) WHERE username = \(literal(name))", action, detail, by: by)
        if !done { try requireUser(name) }
    }

    /// - Parameter statement: one about a single user.
    /// - Returns: whether there was somebody to change.
    private mutating func change(
        _ statement: String, _ action: String, _ detail: String?, by: String
    ) throws(StartError) -> Bool {
        let more = detail.map { ", \($0)" } ?? ""
        return try execute(
            """
            WITH u AS (\(statement) RETURNING username, role)
            INSERT INTO \(schema.name).audit (actor, action, detail)
            SELECT \(literal(by)), '\(action)', jsonb_build_object('user', u.username\(more)) FROM u RETURNING 1
            """
        ).rowCount > 0
    }

    private func literal(_ text: String) throws(StartError) -> String {
        do throws(PostgresError) { return try connection.literal(text) } catch {
            throw StartError("Postgres: \(error)", .unavailable)
        }
    }

    private mutating func execute(_ sql: String) throws(StartError) -> QueryResult {
        do throws(PostgresError) { return try connection.execute(sql)[0] } catch {
            // Undefined table or schema.
            guard !["42P01", "3F000"].contains(error.sqlState) else {
                throw StartError(
                    "the database has no table of users yet; run `coordinator init-db`, or start the fleet once",
                    .configuration)
            }
            throw StartError("Postgres: \(error)", error.disposition == .outage ? .unavailable : .configuration)
        }
    }
}
