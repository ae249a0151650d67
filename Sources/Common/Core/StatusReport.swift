/// What `status --json` prints: a contract. Names stay; fields may be added.
package struct StatusReport: Codable, Sendable, Equatable {
    package struct Kafka: Codable, Sendable, Equatable {
        package var bootstrap: String
        /// `apache`, `mock`, or nil for a cluster of the user's.
        package var embedded: String?

        package init(bootstrap: String, embedded: String?) {
            self.bootstrap = bootstrap
            self.embedded = embedded
        }
    }

    package struct Shard: Codable, Sendable, Equatable {
        package var id: Int32
        package var pid: Int32?
        package var state: String
        package var restarts: Int
        package var sources: [SourceID]
        package var rowsPerSecond: Double
        package var lag: Int64?

        package init(
            id: Int32, pid: Int32?, state: String, restarts: Int, sources: [SourceID], rowsPerSecond: Double,
            lag: Int64?
        ) {
            self.id = id
            self.pid = pid
            self.state = state
            self.restarts = restarts
            self.sources = sources
            self.rowsPerSecond = rowsPerSecond
            self.lag = lag
        }

        private enum CodingKeys: String, CodingKey {
            case id, pid, state, restarts, sources, lag
            case rowsPerSecond = "rows_per_s"
        }
    }

    package struct Source: Codable, Sendable, Equatable {
        package var id: SourceID
        package var topic: String
        package var partition: Int32
        package var shard: Int32?
        package var nextOffset: Int64?
        package var endOffset: Int64?
        /// End offset − next offset; nil until both have been read.
        package var lag: Int64?
        package var state: String

        package init(
            id: SourceID, topic: String, partition: Int32, shard: Int32?, nextOffset: Int64?, endOffset: Int64?,
            state: String
        ) {
            self.id = id
            self.topic = topic
            self.partition = partition
            self.shard = shard
            self.nextOffset = nextOffset
            self.endOffset = endOffset
            lag = nextOffset.flatMap { next in endOffset.map { max(0, $0 - next) } }
            self.state = state
        }

        private enum CodingKeys: String, CodingKey {
            case id, topic, partition, shard, lag, state
            case nextOffset = "next_offset"
            case endOffset = "end_offset"
        }
    }

    package struct Stream: Codable, Sendable, Equatable {
        package var name: String
        /// Since the coordinator started.
        package var rows: Int64
        package var deadLetters: Int64
        package var lag: Int64?

        package init(name: String, rows: Int64, deadLetters: Int64, lag: Int64?) {
            self.name = name
            self.rows = rows
            self.deadLetters = deadLetters
            self.lag = lag
        }

        private enum CodingKeys: String, CodingKey {
            case name, rows, lag
            case deadLetters = "dead_letters"
        }
    }

    package var healthy: Bool
    package var generation: Int64
    package var uptime: Double
    package var pid: Int32
    package var kafka: Kafka
    package var control: String
    package var shards: [Shard]
    package var sources: [Source]
    package var streams: [Stream]

    package init(
        healthy: Bool, generation: Int64, uptime: Double, pid: Int32, kafka: Kafka, control: String, shards: [Shard],
        sources: [Source], streams: [Stream]
    ) {
        self.healthy = healthy
        self.generation = generation
        self.uptime = uptime
        self.pid = pid
        self.kafka = kafka
        self.control = control
        self.shards = shards
        self.sources = sources
        self.streams = streams
    }

    private enum CodingKeys: String, CodingKey {
        case healthy, generation, pid, kafka, control, shards, sources, streams
        case uptime = "uptime_s"
    }
}
