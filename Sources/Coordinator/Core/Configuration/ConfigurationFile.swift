package import Common

/// Config.json: what a fleet runs, all of it optional. Names are the file's.
package struct ConfigurationFile: Codable, Sendable {
    package var shards: Int32?
    package var schema: String?
    package var runtimeDir: String?
    package var offsetReset: CoordinatorConfiguration.OffsetReset?
    /// librdkafka's properties.
    package var kafka: [String: PropertyValue?]?
    /// libpq's parameters.
    package var postgres: [String: PropertyValue?]?
    package var streams: [StreamDefinition]?
    package var batchRows: Int?
    package var breakerRecords: Int?
    package var foldLedgerAfter: RetentionPeriod?
    package var keepChanges: RetentionPeriod?
    /// `HOST:PORT`.
    package var metrics: String?
    /// `tcp://HOST:PORT`, for those on other hosts.
    package var control: String?
    package var advertiseHost: String?
    /// Kafka's consumer group, of coordinators on several hosts that are one fleet.
    package var group: String?
    /// How many the coordinator runs itself.
    package var edges: Int32?
    package var edgeHost: String?
    package var edgePort: UInt16?
    /// Streams that name no roles are anyone's.
    package var open: Bool?
    /// Whose tokens count beside our own.
    package var issuers: [ExternalIssuer]?

    package init() {}

    private enum CodingKeys: String, CodingKey {
        case shards, schema, kafka, postgres, streams, control, metrics, edges, open, issuers, group
        case edgeHost = "edge_host"
        case edgePort = "edge_port"
        case advertiseHost = "advertise_host"
        case runtimeDir = "runtime_dir"
        case offsetReset = "offset_reset"
        case batchRows = "batch_rows"
        case breakerRecords = "breaker_records"
        case foldLedgerAfter = "fold_ledger_after"
        case keepChanges = "keep_changes"
    }
}
