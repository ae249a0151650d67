package import Common
import Postgres
import Schema

/// What commands do with a fleet's database while no fleet has to run. Blocking.
package enum Database {
    /// The DDL of everything that a configuration needs.
    package static func ddl(_ configuration: CoordinatorConfiguration) -> String {
        let schema = MillraceSchema(name: configuration.schema)
        let grants = EdgeGrants(schema: schema, streams: configuration.streams).comment
        return Migrations(schema: schema, streams: configuration.streams).sql + "\n\n" + grants
    }

    /// Makes what is missing. Also while a fleet runs.
    package static func prepare(_ configuration: CoordinatorConfiguration) throws(StartError) {
        let differences: [String]
        do throws(PostgresError) {
            var connection = try Connection.open(parameters: configuration.postgres)
            try Migrations(schema: MillraceSchema(name: configuration.schema), streams: configuration.streams).run(
                on: &connection)
            differences = try TableCheck(configuration.streams, addsColumns: configuration.addsColumns).run(
                on: &connection)
        } catch {
            throw StartError("Postgres: \(error)", error.disposition == .outage ? .unavailable : .configuration)
        }
        guard differences.isEmpty else { throw StartError(differences.joined(separator: "\n"), .configuration) }
    }

    /// Everything that retention asks for now.
    package static func retain(_ configuration: CoordinatorConfiguration) throws -> SourceRegistry.Maintained {
        var registry = try SourceRegistry(configuration)
        var sum = SourceRegistry.Maintained()
        while true {
            let done = try registry.maintain()
            sum.rows += done.rows
            sum.changes += done.changes
            sum.tombstones += done.tombstones
            sum.folded += done.folded
            guard done.hasMore else { return sum }
        }
    }
}
