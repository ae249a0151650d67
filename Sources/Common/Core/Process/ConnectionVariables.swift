private import Foundation

/// Environment variables that say where Kafka is, for every program of ours; those of Postgres are libpq's own
/// (`ConnectionString`).
package enum ConnectionVariables {
    /// librdkafka's property of each variable.
    package static let kafka = [
        "KAFKA_BOOTSTRAP_SERVERS": "bootstrap.servers", "KAFKA_SECURITY_PROTOCOL": "security.protocol",
        "KAFKA_SASL_MECHANISM": "sasl.mechanism", "KAFKA_SASL_USERNAME": "sasl.username",
        "KAFKA_SASL_PASSWORD": "sasl.password", "KAFKA_SSL_CA_LOCATION": "ssl.ca.location",
    ]

    /// Those, and the files that hold one.
    package static var kafkaNames: [String] { kafka.keys + kafka.keys.map { $0 + "_FILE" } }

    /// What the variables that are set say. A value may be in a file that `NAME_FILE` names.
    package static func values(
        _ names: [String: String], in environment: [String: String]
    ) throws(StartError) -> [String: String] {
        var values: [String: String] = [:]
        for (name, key) in names { values[key] = try value(name, in: environment) }
        return values
    }

    /// A variable, or the content of the file that `NAME_FILE` names.
    package static func value(_ name: String, in environment: [String: String]) throws(StartError) -> String? {
        if let value = environment[name], !value.isEmpty { return value }
        guard let path = environment[name + "_FILE"], !path.isEmpty else { return nil }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw StartError("\(name)_FILE: \(path) can't be read", .configuration)
        }
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .newlines)
    }
}
