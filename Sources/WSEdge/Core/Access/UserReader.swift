import Postgres
import Schema

/// Asks Postgres about users, by the functions that an edge's role may call. Blocking; one thread.
final class UserReader {
    /// Where the fleet's own tables are.
    struct Place: Sendable, Equatable {
        let schema: MillraceSchema
        /// libpq's parameters.
        let database: [String: String]
    }

    private var connection: Connection?
    private var place: Place?

    /// The hash of a user's password, and the user; nil when there is none.
    func login(_ name: String, at place: Place) throws(PostgresError) -> (hash: String, state: UserState)? {
        let found = try query(place) { connection throws(PostgresError) in
            """
            SELECT password_hash, role, disabled, changed FROM \(place.schema.name).user_login(\(try connection.literal(name)))
            """
        }
        guard found.rowCount > 0, let hash = found.text(0, 0), let state = Self.state(found, 0) else { return nil }
        return (hash, state)
    }

    /// Of all these, those that are not there included.
    func states(_ names: [String], at place: Place) throws(PostgresError) -> [String: UserState] {
        let found = try query(place) { connection throws(PostgresError) in
            var quoted: [String] = []
            for name in names { quoted.append(try connection.literal(name)) }
            return """
                SELECT username, role, disabled, changed
                FROM \(place.schema.name).user_states(ARRAY[\(quoted.joined(separator: ","))]::text[])
                """
        }
        var states = Dictionary(uniqueKeysWithValues: names.map { ($0, UserState.gone) })
        for row in 0..<found.rowCount {
            if let name = found.text(row, 0), let state = Self.state(found, row) { states[name] = state }
        }
        return states
    }

    /// From the second column on.
    private static func state(_ found: QueryResult, _ row: Int) -> UserState? {
        guard let role = found.text(row, 1), let version = found.integer(row, 3) else { return nil }
        return UserState(role: role, isDisabled: found.text(row, 2) == "t", version: version)
    }

    /// A connection that is lost is made anew with the next query.
    private func query(
        _ place: Place, _ sql: (borrowing Connection) throws(PostgresError) -> String
    ) throws(PostgresError) -> QueryResult {
        var open = try openConnection(place)
        do throws(PostgresError) {
            let result = try open.execute(try sql(open), timeout: .seconds(20))[0]
            connection = consume open
            return result
        } catch {
            connection = consume open
            throw error
        }
    }

    private func openConnection(_ place: Place) throws(PostgresError) -> Connection {
        if let kept = connection.take() {
            if !kept.isLost, self.place == place { return kept }
        }
        self.place = place
        return try Connection.open(parameters: place.database)
    }
}
