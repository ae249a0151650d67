import BenchmarkSupport
import Common
import Foundation
import Postgres
import TestSupport
import ZeroMQ

/// A coordinator and its workers, with fence, ledger and feed.
struct Fleet {
    var stream = BuiltInStreams.all()[0]
    /// Topics of further streams of the same kind, as many records in each.
    var otherTopics: [String] = []
    var shards: Int32 = 4
    /// Else the fence is a function that does nothing, so that no position and no ledger entry is written.
    var isFenced = true
    /// Libraries that take the place of others.
    var preload: String?
    /// With others that have the same name and members of their own.
    var group: (name: String, member: String)?
    /// That the table has already.
    var rowsBefore = 0
    /// Somebody subscribes to what workers publish.
    var isFollowed = false
    /// SQL that is run when the tables are there and nothing is in them.
    var preparation: [String] = []
    /// How Postgres is reached.
    var place: (Arena, [String: String]) -> [String: String] = { $1 }

    static func append(latest: Bool = false) -> Fleet {
        var fleet = Fleet()
        fleet.stream.latest = latest
        return fleet
    }

    /// Measured from the first rows that are stored to the last.
    func run(_ arena: Arena) throws -> Measured {
        try arena.withDatabase { database in
            // Without a shard until the fence is what it should be.
            let isPrepared = isFenced && rowsBefore == 0 && preparation.isEmpty
            return try start(arena, database, shards: isPrepared ? shards : 0) { folder, connection in
                if !isFenced { try connection.execute(Self.noFence) }
                for statement in preparation { try connection.execute(statement) }
                if rowsBefore > 0 { try fill(&connection) }
                if !isPrepared { try scale(folder) }
                let follower = try isFollowed ? FeedReader(folder, stream.name, shards: Int(shards)) : nil
                var measured = try storing(arena.load.records * (1 + otherTopics.count), &connection)
                if let follower { measured.figures["rows published"] = Double(try follower.stop()) }
                try check(arena.load, &connection)
                measured.figures["most MB of a worker"] = ProcessTree.mostMegabytes("shard-worker")
                if stream.isKeyed || stream.latest { measured.figures["HOT updates"] = try hotShare(&connection) }
                return measured
            }
        }
    }

    /// The tables and sources, and nothing in them.
    func makeTables(_ arena: Arena, _ database: [String: String]) throws {
        try start(arena, database, shards: 0) { _, _ in }
    }

    /// Runs with a topic of its own, which nobody has written to.
    func serve<Result>(
        _ arena: Arena, _ database: [String: String], _ body: (_ folder: String, _ topic: String) throws -> Result
    ) throws -> Result {
        let topic = try arena.kafka.makeTopic(partitions: Int32(arena.load.partitions))
        return try start(arena, database, shards: shards, topic: topic) { folder, _ in try body(folder, topic) }
    }

    private func start<Result>(
        _ arena: Arena, _ database: [String: String], shards: Int32, topic: String? = nil,
        _ body: (String, inout Connection) throws -> Result
    ) throws -> Result {
        try arena.withFolder { folder in
            let process = try process(arena, database, folder, shards: shards, topic: topic)
            defer {
                kill(process.processIdentifier, SIGTERM)
                process.waitUntilExit()
            }
            var connection = try Connection.open(parameters: database)
            try wait(for: "sources") {
                guard try connection.execute("SELECT to_regclass('millrace.source') IS NOT NULL")[0].text(0, 0) == "t"
                else { return false }
                let sources = try connection.execute("SELECT count(*) FROM millrace.source")[0].integer(0, 0)!
                return sources == arena.load.partitions * (1 + otherTopics.count)
            }
            return try body(folder, &connection)
        }
    }

    /// A coordinator that was started.
    func process(
        _ arena: Arena, _ database: [String: String], _ folder: String, shards: Int32, topic: String? = nil
    ) throws -> Process {
        var stream = stream
        stream.topics = [topic ?? arena.topic]
        let others = otherTopics.enumerated().map { number, topic in
            var other = stream
            (other.name, other.table, other.topics) = ("other_\(number)", "other_\(number)", [topic])
            return other
        }
        var settings = FleetSettings(
            shards: shards, stream: stream, kafka: arena.kafka.configuration, postgres: place(arena, database),
            folder: folder, binaries: arena.binaries)
        settings.streams += others
        (settings.group, settings.member) = (group?.name, group?.member)
        let process = try settings.process(binaries: arena.binaries)
        if let preload { process.environment?["LD_PRELOAD"] = preload }
        try process.run()
        return process
    }

    /// Of sources that no longer are.
    private func fill(_ connection: inout Connection) throws {
        try connection.execute(
            """
            INSERT INTO \(stream.table) SELECT now(), gen_random_uuid(), 'Ring road, kilometre 1', 13, 52, 1, 'light', 'camera',
                -1 - n % 8, n / 8 FROM generate_series(1, \(rowsBefore)) AS n
            """)
        try connection.execute("VACUUM ANALYZE \(stream.table)")
        try connection.execute("CHECKPOINT")
    }

    static let noFence = """
        CREATE OR REPLACE FUNCTION millrace.fence(
            held uuid, ids int[], froms bigint[], tos bigint[], opened bigint[], records bigint[], rows_ bigint[],
            dead bigint[], skipped bigint[], checksums bigint[]) RETURNS void LANGUAGE sql AS ''
        """

    private func scale(_ folder: String) throws {
        guard try Self.ask(folder, .scale(shards: shards)) == .done else {
            throw ShellFailure(command: "scale", output: "no answer")
        }
    }

    /// - Returns: nil when the coordinator of that folder has not answered for a while.
    static func ask(_ folder: String, _ request: CommandRequest) throws -> CommandReply? {
        let socket = try Socket(.dealer, in: Context())
        try socket.connect("ipc://\(folder)/control/coordinator")
        _ = try socket.send([try ControlEnvelope.encode(request)])
        var poller = Poller()
        poller.add(socket)
        try poller.wait(.seconds(10))
        return try socket.receive().map { try ControlEnvelope.decode($0[0]) }
    }

    func wait(for what: String, until isDone: () throws -> Bool) throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while try !isDone() {
            guard ContinuousClock.now < deadline else { throw ShellFailure(command: "wait for \(what)", output: "") }
            Thread.sleep(forTimeInterval: 0.01)
        }
    }

    /// How far the sources are; where nobody writes positions, by the end of each one's index.
    private var storedSQL: String {
        guard !isFenced else { return "SELECT coalesce(sum(next_offset), 0) FROM millrace.source" }
        return """
            SELECT coalesce(sum(n), 0) FROM millrace.source s, LATERAL (SELECT source_offset + 1 AS n
                FROM \(stream.table) WHERE source_id = s.id ORDER BY source_offset DESC LIMIT 1) AS last
            """
    }

    func storing(_ records: Int, _ connection: inout Connection) throws -> Measured {
        var first: (stored: Int64, at: ContinuousClock.Instant, processor: ProcessorTime)?
        var (last, changed) = (Int64(0), ContinuousClock.now)
        while true {
            let stored = try connection.execute(storedSQL)[0].integer(0, 0)!
            let now = ContinuousClock.now
            if stored > 0, first == nil { first = (stored, now, .now) }
            if let first, stored >= records {
                let count = Int(stored - first.stored)
                return Measured(
                    value: Double(count) / ((now - first.at) / .seconds(1)),
                    processor: ProcessorTime.now.since(first.processor, records: count))
            }
            if stored != last { (last, changed) = (stored, now) }
            guard now - changed < .seconds(30) else {
                throw ShellFailure(command: "store", output: "stands at \(stored) of \(records)")
            }
            Thread.sleep(forTimeInterval: 0.01)
        }
    }

    /// Of the updates of its table of one row a key, those that touch no index. Backends tell a second late.
    private func hotShare(_ connection: inout Connection) throws -> Double? {
        Thread.sleep(forTimeInterval: 1.5)
        let table = stream.latest ? stream.latestTable : stream.table
        let found = try connection.execute(
            "SELECT n_tup_hot_upd, n_tup_upd FROM pg_stat_user_tables WHERE relname = '\(table)'")[0]
        let (hot, all) = (Double(found.integer(0, 0)!), Double(found.integer(0, 1)!))
        return all > 0 ? (hot / all * 1000).rounded() / 1000 : nil
    }

    private func check(_ load: Load, _ connection: inout Connection) throws {
        let dead = try connection.execute("SELECT count(*) FROM millrace.dead_letter")[0].integer(0, 0)!
        precondition(dead == 0, "\(dead) dead letters")
        let position = try connection.execute("SELECT sum(next_offset) FROM millrace.source")[0].integer(0, 0)!
        let records = load.records * (1 + otherTopics.count)
        precondition(position == (isFenced ? records : 0), "the fence was not what it should have been")
        for table in [stream.table] + otherTopics.indices.map({ "other_\($0)" }) { try load.check(table, &connection) }
        let before = try connection.execute("SELECT count(*) FROM \(stream.table) WHERE NOT \(Load.isOfRecord)")[0]
        precondition(before.integer(0, 0)! == rowsBefore, "rows that were there are not")
        if stream.latest {
            let rows = try connection.execute("SELECT count(*) FROM \(stream.latestTable)")[0].integer(0, 0)!
            precondition(rows == min(500, load.records), "\(rows) newest rows of 500 cameras")
        }
        for worker in ProcessTree.entries(below: getpid()) where preload != nil && worker.name == "shard-worker" {
            let maps = try String(contentsOfFile: "/proc/\(worker.pid)/maps", encoding: .utf8)
            precondition(maps.contains(preload!), "a worker without \(preload!)")
        }
    }
}
