package import Common
package import Schema

/// A stream and the database where its rows are.
package struct StoredStream: Hashable, Sendable {
    package let stream: StreamDefinition
    package let schema: MillraceSchema
    /// libpq's parameters; reading is all that the role needs. What is not among them libpq takes from PG* variables.
    package let database: [String: String]

    package init(_ stream: StreamDefinition, schema: MillraceSchema, database: [String: String]) {
        self.stream = stream
        self.schema = schema
        self.database = database
    }
}
