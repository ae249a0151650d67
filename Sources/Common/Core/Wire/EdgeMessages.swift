/// What an edge says to the coordinator: once a second, so that neither has to know when the other began anew.
package enum EdgeMessage: Codable, Sendable, Equatable {
    case report(EdgeReport)
}

/// What the coordinator answers an edge.
package enum EdgeReply: Codable, Sendable, Equatable {
    case configure(EdgeConfiguration)
}

/// An edge as it sees itself. Counted since it started.
package struct EdgeReport: Codable, Sendable, Equatable {
    /// Made when the process began.
    package var id: String
    package var pid: Int32
    /// Where clients reach it, as far as it knows: `127.0.0.1:8080`.
    package var address: String
    package var clients = 0
    /// Messages to clients.
    package var messages: Int64 = 0
    /// Clients that now read from Postgres, since they are further behind than the edge keeps.
    package var slowClients = 0

    package init(id: String, pid: Int32, address: String) {
        self.id = id
        self.pid = pid
        self.address = address
    }
}

/// What an edge has to know of its fleet.
///
/// Over tcp the two connections and the keys for tokens are nil: an edge on another host knows them itself, with a role of its own. On this
/// machine's socket they are the fleet's, for an edge that was told nothing else. Never logged.
package struct EdgeConfiguration: Codable, Sendable, Equatable {
    package struct Feed: Codable, Sendable, Hashable {
        package var shard: Int32
        package var endpoint: String

        package init(shard: Int32, endpoint: String) {
            self.shard = shard
            self.endpoint = endpoint
        }
    }

    package var streams: [StreamDefinition]
    package var schema: String
    /// Where the workers that there are now publish.
    package var feeds: [Feed]
    /// librdkafka's properties.
    package var kafka: [String: String]?
    /// libpq's parameters.
    package var postgres: [String: String]?
    /// The fleet's keys for tokens, on this machine.
    package var tokenKeys: String?
    /// Whose tokens count beside those.
    package var issuers: [ExternalIssuer]?

    package init(
        streams: [StreamDefinition], schema: String, feeds: [Feed], kafka: [String: String]? = nil,
        postgres: [String: String]? = nil, tokenKeys: String? = nil, issuers: [ExternalIssuer]? = nil
    ) {
        self.streams = streams
        self.schema = schema
        self.feeds = feeds
        self.kafka = kafka
        self.postgres = postgres
        self.tokenKeys = tokenKeys
        self.issuers = issuers
    }
}
