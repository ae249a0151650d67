/// What a coordinator tells a worker before anything else, over the control channel: no secret is in the
/// command line or the environment.
package struct WorkerConfiguration: Codable, Sendable, Equatable {
    /// A feed that is published over tcp too (CURVE), for edges on other hosts.
    package struct RemoteFeed: Codable, Sendable, Equatable {
        /// `tcp://HOST:*`, an address of this machine that edges reach.
        package var address: String
        package var secretKey: String
        /// Public keys of those who may connect.
        package var clients: [String]

        package init(address: String, secretKey: String, clients: [String]) {
            self.address = address
            self.secretKey = secretKey
            self.clients = clients
        }
    }

    package var streams: [StreamDefinition]
    /// librdkafka's properties.
    package var kafka: [String: String]
    /// libpq's parameters.
    package var postgres: [String: String]
    package var schema: String
    /// Where the worker publishes.
    package var feedEndpoint: String
    package var remoteFeed: RemoteFeed?
    /// A batch is sent at this size at the latest; it may exceed it by one take from Kafka.
    package var batchRowLimit: Int
    package var batchByteLimit: Int
    /// Larger records are dead letters.
    package var recordByteLimit: Int
    /// A stream of which more than half of so many recent records are dead letters stops: a wrong schema must not
    /// empty a topic into the dead letters.
    package var breakerRecordCount: Int
    /// Where the worker notes the record in its hands; nil for nowhere.
    package var inFlightPath: String?
    /// Whose worker it is, of a group: generations are compared with those of the same member only, and the group is told by its
    /// members how far partitions are.
    package var member: String?

    package init(
        streams: [StreamDefinition], kafka: [String: String], postgres: [String: String], schema: String = "millrace",
        feedEndpoint: String, batchRowLimit: Int = 5000, batchByteLimit: Int = 8 * 1024 * 1024,
        recordByteLimit: Int = 1_048_576, breakerRecordCount: Int = 1000, inFlightPath: String? = nil
    ) {
        self.streams = streams
        self.kafka = kafka
        self.postgres = postgres
        self.schema = schema
        self.feedEndpoint = feedEndpoint
        self.batchRowLimit = batchRowLimit
        self.batchByteLimit = batchByteLimit
        self.recordByteLimit = recordByteLimit
        self.breakerRecordCount = breakerRecordCount
        self.inFlightPath = inFlightPath
    }
}
