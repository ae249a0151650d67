package import Common
package import Kafka
import Postgres
import Schema

/// Knows which sources there are: makes a row for each partition of the configured topics, resolves where a new
/// one starts, retires those whose topic is another now, stops those whose log can't be what it was, sets those of another
/// cluster aside, and keeps what is paused. Blocking: for a thread of its own.
package struct SourceRegistry: ~Copyable {
    package struct Entry: Sendable, Equatable {
        package let id: SourceID
        package let stream: String
        package let partition: TopicPartition
        /// As stored.
        package let nextOffset: Int64
        /// What Kafka said when it was asked the last time; nil before.
        package var endOffset: Int64?
        /// Why it is not to be assigned, if so.
        package var hold: SourceHold?
    }

    package struct Found: Sendable, Equatable {
        package var entries: [Entry] = []
        /// What keeps some of them, or all, from being read; a line each.
        package var troubles: [String] = []
        /// Of topics that seem to have been made again.
        package var remade: Set<SourceID> = []
        /// Whether this coordinator writes down what there is; false: another of its group does, and this is what it wrote.
        package var ownsSchema = true
    }

    /// Only within this type.
    static let heldState = "MR100"

    var configuration: CoordinatorConfiguration
    var connection: Connection
    let schema: MillraceSchema
    /// Whose sources are in force; nil before the first discovery.
    var cluster: String?
    /// That of which it was said that topics of other clusters may begin there.
    var begunOn: String?
    /// The first discovery has found something to read.
    var wasFound: Bool
    /// Where each partition ended when Kafka was asked the last time.
    var ends: [SourceID: Int64]
    /// What happened to sources since they were asked for the last time.
    var notices: [String]
    /// What the last discovery took for the end of a source. One answer may be an old one, of a broker that is behind:
    /// the next discovery has to say the same.
    var doubts: [SourceID: String]
    /// What there was when this coordinator looked the last time what the owner had written.
    var followed: [TopicPartition: SourceID]
    private var movedTo: [String: String]?
    /// The connection holds the fleet's lock, and the tables are as they should be.
    private var isPrepared: Bool
    /// The connection holds the lock of the one that keeps the tables in order, of a group.
    var ownsSchema: Bool
    /// What serves the connection; a pid counts only together with its start.
    private(set) var backend: (pid: Int64, start: String)?

    package init(_ configuration: CoordinatorConfiguration) throws(StartError) {
        let bootstrap = configuration.kafka["bootstrap.servers"] ?? ""
        let connection: Connection
        do throws(PostgresError) { connection = try Connection.open(parameters: configuration.postgres) } catch {
            throw StartError("Postgres: \(error)", error.disposition == .outage ? .unavailable : .configuration)
        }
        let admin: Admin
        do throws(KafkaError) { admin = try Admin(configuration.kafka) } catch {
            throw StartError("Kafka: \(error)", .configuration)
        }
        _ = try admin.requireCluster(at: bootstrap)
        self.init(configuration, connection)
    }

    private init(
        _ configuration: CoordinatorConfiguration, _ connection: consuming Connection
    ) {
        self.connection = connection
        self.configuration = configuration
        schema = MillraceSchema(name: configuration.schema)
        notices = []
        backend = nil
        movedTo = nil
        doubts = [:]
        followed = [:]
        cluster = nil
        begunOn = nil
        isPrepared = false
        ownsSchema = false
        wasFound = false
        ends = [:]
    }

    /// Makes what is missing in the database, checks what is there, and keeps other fleets off the schema while this
    /// connection lives.
    /// - Returns: the highest generation that was ever assigned.
    package mutating func prepare() throws(StartError) -> Int64 {
        let differences: [String]
        let generation: Int64
        do throws(PostgresError) {
            let own = try connection.execute(
                "SELECT pid, backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()")[0]
            backend = own.integer(0, 0).flatMap { pid in own.text(0, 1).map { (pid, $0) } }
            try PoolerCheck.run(&connection, configuration.postgres)
            let name = try connection.literal(schema.name)
            try lock(name)
            differences = try makeTables()
            try enterGroup()
            ownsSchema = configuration.group == nil ? true : try tryToOwn()
            let highest = "SELECT coalesce(max(generation), 0) FROM \(schema.name).source"
            generation = differences.isEmpty ? try connection.execute(highest)[0].integer(0, 0)! : 0
        } catch {
            let isHeld = error.sqlState == Self.heldState
            throw StartError(
                "Postgres: \(error)", isHeld || error.disposition == .outage ? .unavailable : .configuration,
                isHeldByAnother: isHeld)
        }
        guard differences.isEmpty else { throw StartError(differences.joined(separator: "\n"), .configuration) }
        isPrepared = true
        return generation
    }

    package mutating func hasNoUsers() throws(StartError) -> Bool {
        do throws(PostgresError) {
            return try connection.execute("SELECT FROM \(schema.name).users LIMIT 1")[0].rowCount == 0
        } catch {
            throw StartError("Postgres: \(error)", .unavailable)
        }
    }

    /// - Returns: what stands in the way.
    private mutating func makeTables() throws(PostgresError) -> [String] {
        let missing = try RightsCheck(configuration.streams, schema: schema).run(on: &connection)
        guard missing.isEmpty else { return missing }
        try Migrations(schema: schema, streams: configuration.streams).run(on: &connection)
        return try TableCheck(configuration.streams, addsColumns: configuration.addsColumns).run(on: &connection)
    }

    /// Waits a moment: the backend of a coordinator that was just killed has to notice. Members of a group share the lock.
    private mutating func lock(_ name: String) throws(PostgresError) {
        let kind = configuration.group == nil ? "" : "_shared"
        do throws(PostgresError) {
            try connection.execute(
                """
                SET lock_timeout = '3s'; SELECT pg_advisory_lock\(kind)(hashtext('millrace fleet'), hashtext(\(name)));
                SET lock_timeout = 0
                """)
        } catch {
            guard error.sqlState == "55P03" else { throw error }
            throw try held(name)
        }
    }

    private mutating func held(_ name: String) throws(PostgresError) -> PostgresError {
        let holder = try connection.execute(
            """
            SELECT format('backend %s from %s', a.pid, coalesce(host(a.client_addr), 'this machine'))
            FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory'
            AND l.granted AND l.classid = hashtext('millrace fleet')::oid AND l.objid = hashtext(\(name))::oid
            """)[0]
        let who = holder.rowCount > 0 ? holder.text(0, 0) ?? "" : "another coordinator"
        return PostgresError(
            operation: "lock", sqlState: Self.heldState,
            message: "schema \(schema.name) is in use by another fleet (\(who)); stop it, or set MILLRACE_SCHEMA")
    }

    package mutating func reconnect() throws {
        guard connection.isLost || !isPrepared else { return }
        isPrepared = false
        ownsSchema = false
        if connection.isLost { connection = try Connection.open(parameters: configuration.postgres) }
        // Our own backend may not have noticed yet, and still hold the fleet's lock.
        if let backend {
            try connection.execute(
                """
                SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
                WHERE pid = \(backend.pid) AND backend_start = \(try connection.literal(backend.start))::timestamptz
                    AND pid <> pg_backend_pid()
                """)
        }
        _ = try prepare()
    }

    /// Asks another cluster from now on; the next discovery sets the sources of the one before aside.
    mutating func move(to kafka: [String: String]) {
        configuration.kafka = kafka
        movedTo = kafka
        cluster = nil
    }

    /// Where Kafka has moved, once.
    mutating func takeMove() -> [String: String]? {
        defer { movedTo = nil }
        return movedTo
    }

    package mutating func takeNotices() -> [String] {
        defer { notices.removeAll() }
        return notices
    }
}
