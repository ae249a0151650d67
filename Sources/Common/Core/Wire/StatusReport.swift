/// What `status --json` prints: a contract. Names stay; fields may be added, optional ones: a coordinator of the version before has none.
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

    package struct Postgres: Codable, Sendable, Equatable {
        package var host: String?
        package var port: Int?
        package var database: String?
        package var user: String?
        package var embedded = false

        /// - Parameter parameters: libpq's; what isn't among them comes from its own variables and files.
        package init(parameters: [String: String], embedded: Bool = false) {
            self.embedded = embedded
            host = parameters["host"]
            port = parameters["port"].flatMap { Int($0) }
            database = parameters["dbname"]
            user = parameters["user"]
        }
    }

    package struct RemoteControl: Codable, Sendable, Equatable {
        package var endpoint: String
        /// Connections without an allowed key, and frames that were no request.
        package var refused: Int
        package var dropped: Int

        package init(endpoint: String, refused: Int, dropped: Int) {
            self.endpoint = endpoint
            self.refused = refused
            self.dropped = dropped
        }
    }

    /// Something that happened and that nobody should miss.
    package struct Notice: Codable, Sendable, Equatable {
        /// Seconds since 1970.
        package var at: Double
        package var text: String

        package init(at: Double, text: String) {
            self.at = at
            self.text = text
        }
    }

    package var healthy: Bool
    /// Why it is not.
    package var problems: [String]
    package var generation: Int64
    package var uptime: Double
    package var pid: Int32
    package var kafka: Kafka
    package var postgres: Postgres
    package var control: String
    /// Where metrics and health are served: `127.0.0.1:9464`; nil: nowhere.
    package var metrics: String?
    /// Frames on the control socket that were no message of ours.
    package var droppedFrames = 0
    /// Nil unless the control channel is reached from other hosts too.
    package var remoteControl: RemoteControl?
    /// Whose report it is, of a group.
    package var host: String?
    /// The coordinators of a group; nil without one.
    package var hosts: [Host]?
    package var shards: [Shard]
    package var sources: [Source]
    package var streams: [Stream]
    /// The edges that were heard of late.
    package var edges: [Edge] = []
    /// The newest last.
    package var notices: [Notice]

    package init(
        problems: [String], generation: Int64, uptime: Double, pid: Int32, kafka: Kafka, postgres: Postgres,
        control: String, shards: [Shard], sources: [Source], streams: [Stream], notices: [Notice]
    ) {
        healthy = problems.isEmpty
        self.problems = problems
        self.generation = generation
        self.uptime = uptime
        self.pid = pid
        self.kafka = kafka
        self.postgres = postgres
        self.control = control
        self.shards = shards
        self.sources = sources
        self.streams = streams
        self.notices = notices
    }

    private enum CodingKeys: String, CodingKey {
        case healthy, problems, generation, pid, kafka, postgres, control, metrics, host, hosts, shards, sources,
            streams,
            edges
        case notices
        case uptime = "uptime_s"
        case droppedFrames = "dropped_frames"
        case remoteControl = "remote_control"
    }
}
