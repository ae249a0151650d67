package import Common
import Kafka
import Postgres
import Schema

/// What commands do with a fleet's database while no fleet has to run. Blocking.
package enum Database {
    /// The DDL of everything that a configuration needs.
    package static func ddl(_ configuration: CoordinatorConfiguration) -> String {
        Migrations(schema: MillraceSchema(name: configuration.schema), streams: configuration.streams).sql
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

    /// Changes nothing. One line a thing that was checked.
    package static func check(_ configuration: CoordinatorConfiguration) throws -> [String] {
        var lines = ["configuration: \(configuration.streams.count) streams, \(configuration.shards) shards"]
        let admin = try Admin(configuration.kafka)
        let bootstrap = configuration.kafka["bootstrap.servers"] ?? ""
        guard let cluster = admin.clusterID() else {
            throw StartError("Kafka at \(bootstrap) does not answer; check KAFKA_BOOTSTRAP_SERVERS", .unavailable)
        }
        let counts = try admin.partitionCounts()
        lines.append("Kafka: cluster \(cluster) at \(bootstrap)")
        if !Admin.tellsTopicIDs {
            lines.append(
                "Kafka: this librdkafka tells no topic ids (2.3 does): verify --deep after making a topic again")
        }
        var connection: Connection
        do throws(PostgresError) { connection = try Connection.open(parameters: configuration.postgres) } catch {
            throw StartError("Postgres: \(error)", error.disposition == .outage ? .unavailable : .configuration)
        }
        let version = try connection.execute("SHOW server_version")[0].text(0, 0) ?? ""
        lines.append("Postgres: version \(version)")
        if let refusal = try ClusterCheck(configuration: configuration).refusal(of: cluster, on: &connection) {
            throw StartError(refusal, .configuration)
        }
        for stream in configuration.streams {
            for topic in stream.topics {
                guard let count = counts[topic] else {
                    throw StartError("topic '\(topic)' of stream '\(stream.name)' does not exist", .configuration)
                }
                lines.append("stream \(stream.name): topic \(topic), \(count) partitions")
            }
            let name = try connection.literal(Connection.table(stream.table))
            let refusals = try TableCheck([stream], addsColumns: false).refusals(on: &connection)
            guard refusals.isEmpty else { throw StartError(refusals.joined(separator: "\n"), .configuration) }
            guard try connection.execute("SELECT to_regclass(\(name)) IS NOT NULL")[0].text(0, 0) == "t" else {
                lines.append("stream \(stream.name): table \(stream.table) will be made")
                continue
            }
            let differences = try TableCheck([stream], addsColumns: false).run(on: &connection)
            guard differences.isEmpty else { throw StartError(differences.joined(separator: "\n"), .configuration) }
            lines.append("stream \(stream.name): table \(stream.table) is as it should be")
            lines += try TableCheck([stream], addsColumns: false).notices(on: &connection)
        }
        return lines
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
