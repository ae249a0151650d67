package import Accounts
package import Common

/// What a coordinator runs: decided before anything starts.
package struct CoordinatorConfiguration: Sendable {
    /// Where a topic that is new to the database begins.
    package enum OffsetReset: String, Choice {
        case earliest, latest
    }

    package var shards: Int32
    /// What `scale` set before comes before `shards`; false where somebody says now how many.
    package var keepsScale = false
    package var streams: [StreamDefinition]
    package var kafka: [String: String]
    package var postgres: [String: String]
    package var schema: String
    package var runtimeFolder: String
    package var workerExecutable: String
    package var offsetReset: OffsetReset
    /// Topics that were read from another cluster begin on the one that is there, whose sources are then in force.
    package var beginsOnNewCluster = false
    /// Kafka or Postgres that don't answer at the start are an outage like a later one.
    package var waitsAtStart = false
    /// Partitions of topics that are missing; nil where making them is not ours to do.
    package var createdPartitions: Int32?
    /// How often partitions are asked for.
    package var discoveryInterval: Duration
    /// Between rounds that keep the tables in order.
    package var maintenanceInterval = Duration.seconds(60)
    /// Add nullable columns that a stream has and its table hasn't.
    package var addsColumns = false
    /// Ledger entries that are older are folded, to one an hour.
    package var foldAfter = RetentionPeriod(seconds: 7 * 86_400)
    /// How long the changes of keyed rows are kept for those who resume.
    package var keepChanges = RetentionPeriod(seconds: 86_400)
    /// Where metrics and health are served; nil: nowhere.
    package var metrics: ListenAddress?
    package var batchRowLimit = 5000
    /// Where the control channel is also reached over tcp, with keys: `tcp://HOST:PORT`. Nil: nowhere.
    package var controlAddress: String?
    /// An address of this machine where edges on other hosts reach the workers' feeds, with the keys of the control
    /// channel. Nil: feeds stay on this machine.
    package var advertisedHost: String?
    /// Nil: this coordinator's fleet has all partitions.
    package var group: GroupPlan?
    /// What it brings up itself.
    package var embedded = EmbeddedPlan()
    package var edges = EdgePlan()
    /// Whose tokens count at edges beside our own.
    package var issuers: [ExternalIssuer] = []
    /// Our own keys for tokens, as a set; nil: those of the runtime folder, which are made once. Never logged.
    package var tokenKeys: TokenKeys?
    /// The words of the command that makes records for a look at everything; nil: none.
    package var producer: [String]?
    /// See `WorkerConfiguration`.
    package var breakerRecordCount = 1000

    package init(
        shards: Int32, streams: [StreamDefinition], kafka: [String: String], postgres: [String: String],
        schema: String = "millrace", runtimeFolder: String, workerExecutable: String,
        offsetReset: OffsetReset = .earliest, createdPartitions: Int32? = nil, discoveryInterval: Duration = .seconds(5)
    ) {
        self.shards = shards
        self.streams = streams
        self.kafka = kafka
        self.postgres = postgres
        self.schema = schema
        self.runtimeFolder = runtimeFolder
        self.workerExecutable = workerExecutable
        self.offsetReset = offsetReset
        self.createdPartitions = createdPartitions
        self.discoveryInterval = discoveryInterval
    }
}
