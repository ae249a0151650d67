import BenchmarkSupport
import Common
import Foundation
import Postgres
import TestSupport

/// Numbered readings in a plain table, by which losses and doubles can be told: what peers and Millrace are compared with.
enum Cars {
    static let table = "cars"
    /// Not measured: what is compiled while it runs is, by then.
    private static let warmUp = Duration.seconds(15)
    private static let window = Duration.seconds(Benchmark.setting("PEER_SECONDS", 15))
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
        load.proof = nil
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

    /// Rows a second of a while in which it is warm, and in which there are always more records.
    static func measure(_ arena: Arena, _ start: Start) throws -> Measured {
        try arena.withDatabase { database in
            try arena.withFolder { folder in
                let process = try start(arena, database, folder)
                defer { Peer.end(process) }
                var connection = try Connection.open(parameters: database)
                let deadline = ContinuousClock.now + patience
                while try !hasRows(&connection) {
                    guard process.isRunning, ContinuousClock.now < deadline else {
                        throw ShellFailure(command: "rows of a contestant", output: log(folder))
                    }
                    Thread.sleep(forTimeInterval: 0.05)
                }
                // Counted twice and not meanwhile: on these cores whoever looks takes from who is looked at.
                Thread.sleep(forTimeInterval: warmUp / .seconds(1))
                let first = try look(&connection, process)
                Thread.sleep(forTimeInterval: window / .seconds(1))
                let last = try look(&connection, process)
                Peer.end(process)
                let count = last.count - first.count
                guard count > 0, last.count < arena.load.records else {
                    throw ShellFailure(
                        command: "rows of a contestant",
                        output: "\(last.count) of \(arena.load.records); \(log(folder))")
                }
                let own = (last.own - first.own) / (Double(count) / 1e6)
                let found = try connection.execute(
                    "SELECT count(*) - count(DISTINCT seq), count(*) FILTER (WHERE numbers_of_cars <> seq % 120) FROM \(table)"
                )[0]
                return Measured(
                    value: Double(count) / ((last.at - first.at) / .seconds(1)),
                    processor: last.all.since(first.all, records: count).filter { $0.key == "postgres" }
                        .merging(["own": (own * 1000).rounded() / 1000]) { $1 },
                    figures: ["doubled": Double(found.integer(0, 0)!), "wrong": Double(found.integer(0, 1)!)])
            }
        }
    }

    private struct Look {
        var count: Int
        var at: ContinuousClock.Instant
        var all: ProcessorTime
        var own: Double
    }

    /// The count is of its begin: a statement sees what was committed by then.
    private static func look(_ connection: inout Connection, _ process: Process) throws -> Look {
        let (at, all, own) = (
            ContinuousClock.now, ProcessorTime.now, ProcessorTime.now(below: process.processIdentifier).total
        )
        return Look(count: try rows(&connection), at: at, all: all, own: own)
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
                var isWhole = false
                // What goes on writing after all is there doubles it.
                while !isWhole || ContinuousClock.now - changed < .seconds(5) {
                    let count = try rows(&connection)
                    if count != last {
                        (last, changed) = (count, .now)
                        // Doubled rows are no others.
                        isWhole = try count >= arena.load.records && distinct(&connection) == arena.load.records
                    }
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

    private static func distinct(_ connection: inout Connection) throws -> Int {
        Int(try connection.execute("SELECT count(DISTINCT seq) FROM \(table)")[0].integer(0, 0)!)
    }

    private static func isThere(_ connection: inout Connection) throws -> Bool {
        try connection.execute("SELECT to_regclass('\(table)') IS NOT NULL")[0].text(0, 0) == "t"
    }

    private static func hasRows(_ connection: inout Connection) throws -> Bool {
        guard try isThere(&connection) else { return false }
        return try connection.execute("SELECT EXISTS (SELECT FROM \(table))")[0].text(0, 0) == "t"
    }

    private static func rows(_ connection: inout Connection) throws -> Int {
        guard try isThere(&connection) else { return 0 }
        return Int(try connection.execute("SELECT count(*) FROM \(table)")[0].integer(0, 0)!)
    }

    private static func log(_ folder: String) -> String {
        String(((try? String(contentsOfFile: folder + "/peer.log", encoding: .utf8)) ?? "").suffix(2000))
    }
}
