import Foundation

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
    case drain
}

/// What a command asks of the coordinator.
package enum CommandRequest: Codable, Sendable, Equatable {
    case status
    case scale(shards: Int32)
    case stop
}

/// The one answer to a request.
package enum CommandReply: Codable, Sendable, Equatable {
    case status(StatusReport)
    case done
    case refused(String)
}

/// A worker's proof of progress, once a second.
package struct WorkerProgress: Codable, Sendable, Equatable {
    package enum Waiting: String, Codable, Sendable {
        case kafka, postgres, paused
    }

    package struct Source: Codable, Sendable, Equatable {
        package var id: SourceID
        package var nextOffset: Int64
        /// The last stable offset that Kafka answered; nil before the first answer.
        package var endOffset: Int64?
        /// Why it doesn't advance until someone acts.
        package var stopped: String?

        package init(id: SourceID, nextOffset: Int64, endOffset: Int64?, stopped: String?) {
            self.id = id
            self.nextOffset = nextOffset
            self.endOffset = endOffset
            self.stopped = stopped
        }
    }

    /// Counted since the worker started.
    package struct Stream: Codable, Sendable, Equatable {
        package var name: String
        package var rows: Int64
        package var deadLetters: Int64
        package var transactions: Int64

        package init(name: String, rows: Int64 = 0, deadLetters: Int64 = 0, transactions: Int64 = 0) {
            self.name = name
            self.rows = rows
            self.deadLetters = deadLetters
            self.transactions = transactions
        }
    }

    package var generation: Int64
    package var waitingFor: Waiting?
    package var sources: [Source]
    package var streams: [Stream]

    package init(generation: Int64, waitingFor: Waiting?, sources: [Source], streams: [Stream]) {
        self.generation = generation
        self.waitingFor = waitingFor
        self.sources = sources
        self.streams = streams
    }
}

/// The frame around every control message.
package struct ControlEnvelope<Message: Codable & Sendable>: Codable, Sendable {
    package static var version: Int { 1 }

    package var version: Int
    package var message: Message

    package static func encode(_ message: Message) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return Array(try encoder.encode(ControlEnvelope(version: version, message: message)))
    }

    /// Nil for a frame that is no message of this version: counted and dropped.
    package static func decode(_ frame: [UInt8]) -> Message? {
        guard let envelope = try? JSONDecoder().decode(Self.self, from: Data(frame)), envelope.version == version
        else { return nil }
        return envelope.message
    }
}
