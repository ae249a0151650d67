/// What a worker says to the coordinator. JSON, one message a frame; unknown fields are ignored.
package enum WorkerMessage: Codable, Sendable, Equatable {
    case hello(shard: Int32, pid: Int32, version: Int)
    case heartbeat(WorkerProgress)
    /// These sources are committed up to their positions and free.
    case released(sources: [SourceID])
    /// A source or stream stopped, or an outage began.
    case failed(what: String, reason: String, sources: [SourceID])
}

/// What the coordinator says to a worker.
package enum CoordinatorMessage: Codable, Sendable, Equatable {
    case configure(WorkerConfiguration)
    case assign(generation: Int64, sources: [SourceID])
    case release(sources: [SourceID])
    /// Whose keys may connect to the worker's feed over tcp.
    case allow(clients: [String])
    case drain
}

/// What a command asks of the coordinator; `by` is who asks, for the audit.
package enum CommandRequest: Codable, Sendable, Equatable {
    case status
    /// None keeps the coordinator and drains every worker.
    case scale(shards: Int32, by: String = "")
    /// Nil: all shards. Rolling: one after another.
    case restart(shard: Int32?, rolling: Bool, by: String = "")
    /// The same of other hosts of a group; nil: of all.
    case members(host: String?, MemberRequest, by: String = "")
    case pause(PauseTarget, by: String = "")
    case resume(PauseTarget, by: String = "")
    /// The sources in the database were changed from outside.
    case rediscover
    /// Where the fleet's Kafka and Postgres are, secrets included: answered on the socket in the runtime folder only,
    /// which nobody but its owner reaches. Never logged.
    case connections
    /// Where the workers' feeds are, and what they carry; answered like `connections`.
    case feeds
    case stop
}

/// What a person pauses: a stream, a topic, or one partition of it.
package struct PauseTarget: Codable, Sendable, Equatable {
    /// A stream's or a topic's name.
    package var name: String
    package var partition: Int32?

    package init(name: String, partition: Int32? = nil) {
        self.name = name
        self.partition = partition
    }

    /// `STREAM`, `TOPIC` or `TOPIC:PARTITION`.
    package init(_ text: String) {
        if let colon = text.lastIndex(of: ":"), let partition = Int32(text[text.index(after: colon)...]) {
            self.init(name: String(text[..<colon]), partition: partition)
        } else {
            self.init(name: text)
        }
    }
}

/// The one answer to a request.
package enum CommandReply: Codable, Sendable, Equatable {
    case status(StatusReport)
    /// librdkafka's properties and libpq's parameters.
    case connections(kafka: [String: String], postgres: [String: String])
    case feeds(EdgeConfiguration)
    case done
    case refused(String)
}

/// A worker's proof of progress, once a second.
package struct WorkerProgress: Codable, Sendable, Equatable {
    package enum Waiting: String, Codable, Sendable {
        case kafka, postgres
    }

    package struct Source: Codable, Sendable, Equatable {
        package var id: SourceID
        package var nextOffset: Int64
        /// The last stable offset that Kafka answered; nil before the first answer.
        package var endOffset: Int64?
        /// Why it doesn't advance until someone acts.
        package var stopped: String?
        package var heldBack: HeldBack?

        package init(id: SourceID, nextOffset: Int64, endOffset: Int64?, stopped: String?) {
            self.id = id
            self.nextOffset = nextOffset
            self.endOffset = endOffset
            self.stopped = stopped
        }
    }

    /// Records between the last stable offset and the end of the log: of a transaction that is open, and whatever came
    /// behind it (Kafka documentation, `isolation.level`).
    package struct HeldBack: Codable, Sendable, Equatable {
        package var offsets: Int64
        package var seconds: Double

        package init(offsets: Int64, seconds: Double) {
            self.offsets = offsets
            self.seconds = seconds
        }
    }

    /// Counted since the worker started.
    package struct Stream: Codable, Sendable, Equatable {
        package var name: String
        package var rows: Int64 = 0
        package var deadLetters: Int64 = 0
        package var transactions: Int64 = 0
        /// Milliseconds from the record's timestamp in Kafka to its COMMIT.
        package var latency = Histogram()
        /// Milliseconds that transactions took.
        package var commitTime = Histogram()
        /// Records of a transaction.
        package var batchSize = Histogram()
        /// Too many of its records are dead letters: why it should be paused.
        package var tripped: String?
        /// Columns whose fields none of the last thousand records had; nil before there were so many.
        package var absentColumns: [AbsentColumn]?

        package init(name: String) {
            self.name = name
        }
    }

    package var generation: Int64
    package var waitingFor: Waiting?
    package var sources: [Source]
    package var streams: [Stream]
    /// Processor time that the worker's process has used; its memory is below.
    package var processorSeconds = 0.0
    package var residentBytes: Int64 = 0
    /// Where its feed is reached over tcp; nil when it is not.
    package var remoteFeed: String?

    package init(generation: Int64, waitingFor: Waiting?, sources: [Source], streams: [Stream]) {
        self.generation = generation
        self.waitingFor = waitingFor
        self.sources = sources
        self.streams = streams
    }
}
