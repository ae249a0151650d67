extension StatusReport {
    /// A coordinator of a group, and what it has said last.
    package struct Host: Codable, Sendable, Equatable {
        package var name: String
        /// Keeps the tables in order, and finds what there is to read.
        package var ownsSchema: Bool
        /// Seconds since it was heard.
        package var silence: Double
        package var shards: Int
        package var partitions: Int
        package var rowsPerSecond: Double

        package init(
            name: String, ownsSchema: Bool, silence: Double, shards: Int, partitions: Int, rowsPerSecond: Double
        ) {
            self.name = name
            self.ownsSchema = ownsSchema
            self.silence = silence
            self.shards = shards
            self.partitions = partitions
            self.rowsPerSecond = rowsPerSecond
        }

        private enum CodingKeys: String, CodingKey {
            case name, shards, partitions
            case ownsSchema = "owns_schema"
            case silence = "silence_s"
            case rowsPerSecond = "rows_per_s"
        }
    }

    package struct Shard: Codable, Sendable, Equatable {
        /// Nil but in a group.
        package var host: String?
        package var id: Int32
        package var pid: Int32?
        /// `starting`, `running`, `draining`, `backoff` or `stuck`.
        package var state: String
        /// What it waits for: `kafka` or `postgres`.
        package var waitingFor: String?
        /// Seconds since its worker was started the last time.
        package var uptime: Double
        package var restarts: Int
        package var sources: [SourceID]
        package var rowsPerSecond = 0.0
        package var lag: Int64?
        /// Processor time per time, as a percentage of one core.
        package var processorPercent = 0.0
        package var residentBytes: Int64 = 0

        package init(
            id: Int32, pid: Int32?, state: String, waitingFor: String?, uptime: Double, restarts: Int,
            sources: [SourceID]
        ) {
            self.id = id
            self.pid = pid
            self.state = state
            self.waitingFor = waitingFor
            self.uptime = uptime
            self.restarts = restarts
            self.sources = sources
        }

        private enum CodingKeys: String, CodingKey {
            case host, id, pid, state, restarts, sources, lag
            case waitingFor = "waiting_for"
            case uptime = "uptime_s"
            case rowsPerSecond = "rows_per_s"
            case processorPercent = "cpu_percent"
            case residentBytes = "memory_bytes"
        }
    }

    package struct Source: Codable, Sendable, Equatable {
        package var id: SourceID
        package var stream: String
        package var topic: String
        package var partition: Int32
        /// Of its shard; nil but in a group.
        package var host: String?
        package var shard: Int32?
        package var nextOffset: Int64?
        package var endOffset: Int64?
        /// End offset − next offset; nil until both have been read.
        package var lag: Int64?
        /// `running`, `paused`, `quarantined`, `stopped` or `unassigned`.
        package var state: String
        /// Why it doesn't run.
        package var reason: String?
        /// What waits behind a transaction that some producer has not ended, and for how long.
        package var heldBack: WorkerProgress.HeldBack?

        package init(
            id: SourceID, stream: String, topic: String, partition: Int32, shard: Int32?, nextOffset: Int64?,
            endOffset: Int64?, state: String, reason: String?, heldBack: WorkerProgress.HeldBack? = nil
        ) {
            self.id = id
            self.stream = stream
            self.topic = topic
            self.partition = partition
            self.shard = shard
            self.nextOffset = nextOffset
            self.endOffset = endOffset
            lag = nextOffset.flatMap { next in endOffset.map { max(0, $0 - next) } }
            self.state = state
            self.reason = reason
            self.heldBack = heldBack
        }

        private enum CodingKeys: String, CodingKey {
            case id, stream, topic, partition, host, shard, lag, state, reason
            case nextOffset = "next_offset"
            case endOffset = "end_offset"
            case heldBack = "held_back"
        }
    }

    package struct Edge: Codable, Sendable, Equatable {
        /// Empty until it was heard.
        package var id: String
        /// Nil while there is no process.
        package var pid: Int32?
        package var address: String
        /// What an edge that the coordinator runs is doing: `running`, `draining`, `backoff`, or `failed`, which a person has to mend.
        package var state: String?
        package var restarts: Int?
        package var clients: Int
        package var messagesPerSecond: Double
        /// Clients that read from Postgres, since they are far behind.
        package var slowClients: Int

        package init(
            id: String, pid: Int32?, address: String, clients: Int, messagesPerSecond: Double, slowClients: Int
        ) {
            self.id = id
            self.pid = pid
            self.address = address
            self.clients = clients
            self.messagesPerSecond = messagesPerSecond
            self.slowClients = slowClients
        }

        private enum CodingKeys: String, CodingKey {
            case id, pid, address, state, restarts, clients
            case messagesPerSecond = "messages_per_s"
            case slowClients = "slow_clients"
        }
    }

    package struct Percentiles: Codable, Sendable, Equatable {
        package var p50: Double?
        package var p99: Double?

        package init(_ histogram: Histogram) {
            p50 = histogram.quantile(0.5)
            p99 = histogram.quantile(0.99)
        }
    }

    package struct Stream: Codable, Sendable, Equatable {
        package var name: String
        /// Since the coordinator started.
        package var rows: Int64
        package var deadLetters: Int64
        package var rowsPerSecond: Double
        package var lag: Int64?
        /// Seconds until the backlog is worked off at the present rate; nil without either.
        package var timeToFinish: Double?
        /// `running`, `paused`, `stopped` or `unassigned`: the worst of its sources.
        package var state: String
        /// Milliseconds from records' timestamps in Kafka to their COMMIT, of late.
        package var commitLatency: Percentiles
        /// Columns whose fields no worker found in its last thousand records.
        package var absentColumns: [AbsentColumn] = []

        package init(
            name: String, rows: Int64, deadLetters: Int64, rowsPerSecond: Double, lag: Int64?, state: String,
            commitLatency: Percentiles
        ) {
            self.name = name
            self.rows = rows
            self.deadLetters = deadLetters
            self.rowsPerSecond = rowsPerSecond
            self.lag = lag
            if let lag, lag > 0, rowsPerSecond > 0 { timeToFinish = Double(lag) / rowsPerSecond }
            self.state = state
            self.commitLatency = commitLatency
        }

        private enum CodingKeys: String, CodingKey {
            case name, rows, lag, state
            case deadLetters = "dead_letters"
            case rowsPerSecond = "rows_per_s"
            case timeToFinish = "time_to_finish_s"
            case commitLatency = "commit_latency_ms"
            case absentColumns = "absent_columns"
        }
    }
}
