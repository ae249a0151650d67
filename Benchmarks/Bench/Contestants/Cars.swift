import BenchmarkSupport
import Common
import Foundation
import Postgres
import TestSupport

/// Numbered readings in a plain table, by which losses and doubles can be told: what peers and Millrace are compared with.
enum Cars {
    static let table = "cars"
    private static let limit = Duration.seconds(Benchmark.setting("PEER_SECONDS", 12))
    private static let patience = Duration.seconds(90)
    /// A member of a consumer group that was killed is missed after 45 s, and some settings are slower still.
    private static let longPatience = Duration.seconds(240)

    /// As Millrace's configuration would have it.
    static var stream: StreamDefinition {
        StreamDefinition(
            name: table, topics: [], mode: .append, key: [],
            columns: [
                Column("seq", .bigint, required: true), Column("timestamp", .timestamp, required: true),
                Column("stream_id", .uuid, required: true), Column("location", .text), Column("longitude", .double),
                Column("latitude", .double), Column("numbers_of_cars", .integer), Column("label", .text),
                Column("type", .text),
            ])
    }

    static func load(_ records: Int) -> Load {
        var load = Load.readings()
        let partitions = load.partitions
        load.records = records
        load.record = { ($0 % partitions, Array("{\"seq\":\($0),".utf8) + Benchmark.reading($0).dropFirst()) }
        return load
    }

    private static let createSQL = """
        CREATE TABLE \(table) (seq bigint NOT NULL, "timestamp" timestamptz NOT NULL, stream_id uuid NOT NULL, location text,
            longitude float8, latitude float8, numbers_of_cars int, label text, type text)
        """

    /// How a contestant is started, with a folder of its own, and what it needs made before.
    typealias Start = (Arena, _ database: [String: String], _ folder: String) throws -> Process

    static func start(_ peer: Peer) -> Start {
        { arena, database, folder in
            var connection = try Connection.open(parameters: database)
            try connection.execute(createSQL.replacing("CREATE TABLE", with: "CREATE TABLE IF NOT EXISTS"))
            return try peer.start(arena, topic: arena.topic, state: folder, Peer.environment(database))
        }
    }

    static var startMillrace: Start {
        { arena, database, folder in
            var fleet = Fleet()
            fleet.stream = stream
            return try fleet.process(arena, database, folder, shards: 4)
        }
    }

    /// Rows a second, from the first that are there until all are, or for a while.
    static func measure(_ arena: Arena, _ start: Start) throws -> Measured {
        try arena.withDatabase { database in
            try arena.withFolder { folder in
                let process = try start(arena, database, folder)
                defer { Peer.end(process) }
                var connection = try Connection.open(parameters: database)
                var first: (count: Int, at: ContinuousClock.Instant, all: ProcessorTime, own: Double)?
                let began = ContinuousClock.now
                while true {
                    let count = try rows(&connection)
                    let now = ContinuousClock.now
                    if let first, count >= arena.load.records || now - first.at > limit {
                        let own = ProcessorTime.now(below: process.processIdentifier).total - first.own
                        let million = Double(count - first.count) / 1e6
                        var processor = ProcessorTime.now.since(first.all, records: count - first.count)
                            .filter { $0.key == "postgres" }
                        processor["own"] = (own / million * 1000).rounded() / 1000
                        return Measured(
                            value: Double(count - first.count) / ((now - first.at) / .seconds(1)), processor: processor)
                    }
                    if first == nil, count > 0 {
                        first = (count, now, .now, ProcessorTime.now(below: process.processIdentifier).total)
                    }
                    guard process.isRunning, first != nil || now - began < patience else {
                        throw ShellFailure(command: "rows of a contestant", output: log(folder))
                    }
                    Thread.sleep(forTimeInterval: 0.05)
                }
            }
        }
    }

    /// Kills all of it three times on the way, and counts what is there in the end.
    static func kill(_ arena: Arena, _ start: Start) throws -> Measured {
        try arena.withDatabase { database in
            try arena.withFolder { folder in
                var process = try start(arena, database, folder)
                defer { Peer.end(process) }
                var connection = try Connection.open(parameters: database)
                var kills = 0
                var (last, changed) = (0, ContinuousClock.now)
                // What goes on writing after all is there doubles it.
                while last < arena.load.records || ContinuousClock.now - changed < .seconds(5) {
                    let count = try rows(&connection)
                    if count != last { (last, changed) = (count, .now) }
                    guard ContinuousClock.now - changed < longPatience else { break }
                    if kills < 3, count >= arena.load.records * (1 + kills) / 5 {
                        kills += 1
                        Peer.end(process)
                        process = try start(arena, database, folder)
                    }
                    Thread.sleep(forTimeInterval: 0.005)
                }
                let found = try connection.execute("SELECT count(*), count(DISTINCT seq) FROM \(table)")[0]
                let (count, distinct) = (Int(found.integer(0, 0)!), Int(found.integer(0, 1)!))
                return Measured(
                    value: Double(arena.load.records - distinct),
                    figures: ["doubled": Double(count - distinct), "kills": Double(kills)])
            }
        }
    }

    private static func rows(_ connection: inout Connection) throws -> Int {
        guard try connection.execute("SELECT to_regclass('\(table)') IS NOT NULL")[0].text(0, 0) == "t" else {
            return 0
        }
        return Int(try connection.execute("SELECT count(*) FROM \(table)")[0].integer(0, 0)!)
    }

    private static func log(_ folder: String) -> String {
        String(((try? String(contentsOfFile: folder + "/peer.log", encoding: .utf8)) ?? "").suffix(2000))
    }
}
