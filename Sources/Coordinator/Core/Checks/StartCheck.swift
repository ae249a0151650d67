package import Common
import Postgres
import Schema

/// Whether a fleet could start, and all that stands against it. Blocking; changes nothing.
package struct StartCheck {
    /// One a thing that is as it should be, or that should be known.
    package private(set) var lines: [String]
    private var problems: [StartError]

    package init(_ configuration: CoordinatorConfiguration) {
        lines = ["configuration: \(configuration.streams.count) streams, \(configuration.shards) shards"]
        let kafka = KafkaCheck(configuration)
        lines += kafka.lines
        problems = kafka.problems
        do throws(PostgresError) {
            try checkDatabase(configuration, cluster: kafka.cluster)
        } catch {
            problems.append(
                StartError("Postgres: \(error)", error.disposition == .outage ? .unavailable : .configuration))
        }
    }

    /// Nil when a fleet would start. What a person has to mend comes before what may come back by itself.
    package var problem: StartError? {
        guard !problems.isEmpty else { return nil }
        let code = problems.contains { $0.exitCode == .configuration } ? ExitCode.configuration : problems[0].exitCode
        return StartError(problems.map(\.description).joined(separator: "\n"), code)
    }

    private mutating func checkDatabase(
        _ configuration: CoordinatorConfiguration, cluster: String?
    ) throws(PostgresError) {
        var connection = try Connection.open(parameters: configuration.postgres)
        let version = try connection.execute("SHOW server_version")[0].text(0, 0) ?? ""
        lines.append("Postgres: version \(version)")
        try PoolerCheck.run(&connection, configuration.postgres)
        let schema = MillraceSchema(name: configuration.schema)
        let rights = try RightsCheck(configuration.streams, schema: schema).run(on: &connection)
        add(rights)
        // Without them everything else would be refused too.
        guard rights.isEmpty else { return }
        let migrations = Migrations(schema: schema, streams: [])
        let found = try migrations.found(on: &connection)
        if found > migrations.version {
            lines.append(
                "schema \(schema.name) has version \(found), of a newer program than this (\(migrations.version)): it stays as "
                    + "it is")
        }
        if let cluster {
            let check = try ClusterCheck(configuration: configuration).run(cluster, isNew: false, on: &connection)
            add(check.refusals.sorted { $0.key < $1.key }.map(\.value))
        }
        for stream in configuration.streams {
            let check = TableCheck([stream], addsColumns: false)
            let differences = try check.refusals(on: &connection) + check.run(on: &connection)
            add(differences)
            guard differences.isEmpty else { continue }
            let isThere = try Migrations.hasTables(of: stream, on: &connection)
            lines.append(
                "stream \(stream.name): table \(stream.table) \(isThere ? "is as it should be" : "will be made")")
            lines += try check.notices(on: &connection)
        }
    }

    private mutating func add(_ found: [String]) {
        problems += found.map { StartError($0, .configuration) }
    }
}
