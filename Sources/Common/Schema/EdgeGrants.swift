package import Common
private import Postgres

/// What an edge's own role needs in Postgres: it reads, and asks two functions about users.
package struct EdgeGrants: Sendable {
    /// The role in what is printed.
    package static let role = "millrace_edge"

    private let schema: MillraceSchema
    private let streams: [StreamDefinition]

    package init(schema: MillraceSchema, streams: [StreamDefinition]) {
        self.schema = schema
        self.streams = streams
    }

    /// - Parameter role: as Postgres's text has it, quoted where that needs it.
    package func statements(for role: String = EdgeGrants.role) -> [String] {
        let own = ["stream", "source", "change"].map { "\(schema.name).\($0)" }
        let tables = streams.flatMap { [$0.table] + ($0.latest ? [$0.latestTable] : []) }
        let schemas = Set(tables.map { Connection.identifier(Connection.schemaAndTable($0).schema) }).sorted()
        return [
            "GRANT USAGE ON SCHEMA \(([schema.name] + schemas).joined(separator: ", ")) TO \(role);",
            "GRANT SELECT ON \((own + tables.map(Connection.table)).joined(separator: ", ")) TO \(role);",
            "GRANT EXECUTE ON FUNCTION \(schema.name).user_login(text), \(schema.name).user_states(text[]) TO \(role);",
        ]
    }

    /// Comments, so that the text around it stays a script for whoever has no such role.
    package var comment: String {
        """
        -- An edge with a role of its own, which only reads, needs:
        --   CREATE ROLE \(Self.role) LOGIN;
        \(statements().map { "--   \($0)" }.joined(separator: "\n"))
        """
    }
}
