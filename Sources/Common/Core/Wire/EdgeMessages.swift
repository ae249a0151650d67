/// What an edge says to the coordinator: once a second, so that neither has to know when the other began anew.
package enum EdgeMessage: Codable, Sendable, Equatable {
    case report(EdgeReport)
}

/// What the coordinator answers an edge.
package enum EdgeReply: Codable, Sendable, Equatable {
    case configure(EdgeConfiguration)
    /// As of `CommandReply`: who asks something that can't be read is not known better.
    case refused(String)
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
        /// Shards are numbered within a host; nil but in a group.
        package var host: String?
        package var shard: Int32
        package var endpoint: String
        /// The public key of that host, where it is not that of whoever tells this.
        package var server: String?

        package init(host: String? = nil, shard: Int32, endpoint: String, server: String? = nil) {
            self.host = host
            self.shard = shard
            self.endpoint = endpoint
            self.server = server
        }
    }

    /// Another coordinator of the group, that knows the same.
    package struct Control: Codable, Sendable, Hashable {
        package var endpoint: String
        package var server: String

        package init(endpoint: String, server: String) {
            self.endpoint = endpoint
            self.server = server
        }
    }

    package var streams: [StreamDefinition]
    package var schema: String
    /// Where the workers that there are now publish.
    package var feeds: [Feed]
    /// Where an edge goes on when this coordinator is gone.
    package var controls: [Control]?
    /// With which an edge on this machine reaches feeds of other hosts.
    package var secretKey: String?
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
