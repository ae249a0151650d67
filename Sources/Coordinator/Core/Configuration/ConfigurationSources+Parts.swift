package import Accounts
package import Common
import Foundation
import Kafka
import Postgres

/// Where Kafka and Postgres are, as far as anything says it, and which edges the coordinator runs.
extension ConfigurationSources {
    func kafka() throws(StartError) -> [String: String] {
        let own = try ConnectionVariables.values(ConnectionVariables.kafka, in: environment)
        let given = (file.kafka ?? [:]).compactMapValues { $0?.kafka }
        let properties = given.merging(own) { $1 }
        let problems = ProductProperties.problems(properties) + Properties.problems(properties)
        guard problems.isEmpty else { throw StartError(problems.joined(separator: "\n"), .configuration) }
        return properties
    }

    /// libpq reads PG* itself; but workers are not to find a password in their environment, and `.env` is ours.
    func postgres() throws(StartError) -> [String: String] {
        let given = (file.postgres ?? [:]).compactMapValues { $0?.postgres }
        let parameters = try ConnectionString.expand(given, name: "postgres.dbname in Config.json").merging(
            try ConnectionString.parameters(in: environment)
        ) { $1 }
        let problems = ConnectionString.problems(parameters)
        guard problems.isEmpty else { throw StartError(problems.joined(separator: "\n"), .configuration) }
        return parameters
    }

    /// Of Millrace's own tables.
    func schema() throws(StartError) -> String {
        let name = try variable("MILLRACE_SCHEMA") ?? file.schema ?? "millrace"
        guard (1...63).contains(name.utf8.count), !name.hasPrefix("pg_"), name != "information_schema" else {
            throw StartError(
                "schema is '\(name)'; it must have 1 to 63 bytes, and be none of Postgres's own", .configuration)
        }
        return name
    }

    func streams(besides schema: String) throws(StartError) -> [StreamDefinition] {
        let topic = try variable("TRAFFIC_TOPIC")
        let streams = file.streams ?? BuiltInStreams.all(trafficTopic: topic ?? "traffic_data")
        var problems = StreamValidation(streams, schema: schema).problems
        if streams.isEmpty { problems.append("streams: there are none; without the key there are the built-in ones") }
        if topic != nil, file.streams != nil {
            problems.append(
                "TRAFFIC_TOPIC is of the built-in streams, and Config.json has others: say it there, in topics")
        }
        guard problems.isEmpty else { throw StartError(problems.joined(separator: "\n"), .configuration) }
        return streams
    }

    func limit(_ name: String, _ value: Int?) throws(StartError) -> Int? {
        guard let value, !(1...1_000_000).contains(value) else { return value }
        throw StartError("\(name) must be 1 to 1000000, not \(value)", .configuration)
    }

    func edges() throws(StartError) -> EdgePlan {
        var plan = EdgePlan()
        let (count, port) = (try number("MILLRACE_EDGES"), try number("MILLRACE_EDGE_PORT"))
        plan.count = flags.edges ?? count ?? file.edges ?? plan.count
        let host = try variable("MILLRACE_EDGE_HOST")
        plan.host = flags.edgeHost ?? host ?? file.edgeHost ?? plan.host
        if let port, flags.edgePort == nil {
            guard let number = UInt16(exactly: port) else {
                throw StartError("MILLRACE_EDGE_PORT must be 0 to 65535, not \(port)", .configuration)
            }
            plan.firstPort = number
        } else {
            plan.firstPort = flags.edgePort ?? file.edgePort ?? plan.firstPort
        }
        plan.certificate = try variable("MILLRACE_TLS_CERTIFICATE")
        plan.certificateKey = try variable("MILLRACE_TLS_KEY")
        guard (plan.certificate == nil) == (plan.certificateKey == nil) else {
            throw StartError("MILLRACE_TLS_CERTIFICATE and MILLRACE_TLS_KEY go together", .configuration)
        }
        guard (0...100).contains(plan.count) else {
            throw StartError("edges must be 0 to 100, not \(plan.count)", .usage)
        }
        return plan
    }

    func issuers() throws(StartError) -> [ExternalIssuer] {
        let issuers = file.issuers ?? []
        var problems = issuers.flatMap(\.problems)
        let names = issuers.map(\.issuer)
        for (index, name) in names.enumerated() where names[..<index].contains(name) {
            problems.append("issuers: '\(name)' is there twice")
        }
        guard problems.isEmpty else { throw StartError(problems.joined(separator: "\n"), .configuration) }
        return issuers
    }

    package func tokenKeys() throws(StartError) -> TokenKeys? {
        guard let text = try variable(TokenKeys.variable) else { return nil }
        do throws(StartError) { return try TokenKeys(text: text) } catch {
            throw StartError("\(TokenKeys.variable): \(error)", .configuration)
        }
    }

    func group() throws(StartError) -> GroupPlan? {
        let (group, member) = (try variable("MILLRACE_GROUP"), try variable("MILLRACE_MEMBER"))
        guard let name = flags.group ?? group ?? file.group else {
            guard flags.member == nil else { throw StartError("--member needs --group", .usage) }
            return nil
        }
        let own = flags.member ?? member ?? ProcessInfo.processInfo.hostName
        for (what, text) in [("group", name), ("member", own)] where !GroupPlan.isName(text) {
            throw StartError(
                "\(what) is '\(text)'; it must be 1 to 200 letters, digits, dots, underscores and hyphens",
                .configuration)
        }
        return GroupPlan(name: name, member: own)
    }

    /// Which Kafka a fleet runs itself where none is configured.
    package func embeddedKafka() throws(StartError) -> EmbeddedPlan.Kafka {
        let variable = try variable("MILLRACE_EMBEDDED_KAFKA")
        guard let name = flags.embeddedKafka ?? variable else { return .automatic }
        guard let kind = EmbeddedPlan.Kafka(rawValue: name) else {
            throw StartError("the embedded Kafka is '\(name)'; it must be automatic, apache or mock", .usage)
        }
        return kind
    }
}
