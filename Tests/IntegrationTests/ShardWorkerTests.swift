import Common
import Foundation
import TestSupport
import Testing
import ZeroMQ

@Suite("A shard worker", .serialized, .timeLimit(.minutes(5)))
struct ShardWorkerTests {
    private static let events = StreamDefinition(
        name: "events", topics: [], mode: .append,
        columns: [Column("n", .bigint, required: true, min: 0), Column("t", .text)])

    private func values(_ range: Range<Int>) -> [String] {
        range.map { #"{"n":\#($0),"t":"row \#($0)"}"# }
    }

    @Test("Records become rows in the order of their offsets, and the feed says what was committed")
    func appends() throws {
        let fleet = try WorkerFleet(Self.events, partitions: 2)
        try fleet.start(0)
        let subscriber = try fleet.subscriber(0)
        try fleet.assign(0)
        try fleet.wait("a heartbeat with sources") { messages in
            messages.contains {
                if case (_, .heartbeat(let progress)) = $0 { progress.sources.count == 2 } else { false }
            }
        }
        // Heads are announced each second: the first that comes shows that the subscription has arrived.
        var feed: [FeedMessage] = []
        func collect() throws {
            while let parts = try subscriber.receive() {
                feed.append(try #require(parts[1].withUnsafeBytes { FeedMessage($0) }))
            }
        }
        try fleet.wait("the feed's heads") { _ in
            try collect()
            return !feed.isEmpty
        }
        try fleet.kafka.produce(values(0..<3000), to: fleet.topic, partition: 0)
        try fleet.kafka.produce(values(3000..<3010), to: fleet.topic, partition: 1)
        try fleet.waitForOffsets([3000, 10])
        try fleet.expectExact(records: 3010, rows: 3010)
        #expect(try fleet.rows("SELECT count(*) FROM events WHERE n <> source_offset AND source_id = 1") == ["0"])
        try fleet.wait("the feed's rows") { _ in
            try collect()
            return feed.reduce(0) { $0 + $1.rows.count } >= 3010
        }
        var position: [SourceID: Int64] = [:]
        for message in feed {
            for span in message.spans {
                #expect(span.from == position[span.source, default: 0], "the feed has a gap")
                position[span.source] = span.to
            }
        }
        let first = feed.flatMap(\.rows).filter { $0.source.rawValue == 1 }
        #expect(first.map(\.offset) == Array(0..<3000))
        #expect(String(decoding: first[7].json, as: UTF8.self) == #"{"n":7,"t":"row 7"}"#)
        #expect(position == [SourceID(rawValue: 1): 3000, SourceID(rawValue: 2): 10])
    }

    @Test("What a trigger changes or drops is in the feed as it is stored: who follows is sent to the table")
    func triggers() throws {
        let fleet = try WorkerFleet(Self.events)
        try fleet.database.execute(
            """
            CREATE FUNCTION judge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF new.n % 10 = 3 THEN RETURN NULL; END IF;
                new.t = upper(new.t);
                RETURN new; END $$;
            CREATE TRIGGER judge BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION judge();
            """)
        try fleet.kafka.produce(values(0..<100), to: fleet.topic)
        let subscriber = try fleet.subscriber(0)
        try fleet.start(0)
        try fleet.assign(0)
        try fleet.waitForOffsets([100])
        try fleet.expectExact(records: 100, rows: 90)
        #expect(
            try fleet.rows("SELECT count(*) FROM millrace.dead_letter WHERE reason LIKE '%keeps the row out%'") == [
                "10"
            ])
        var heads: [FeedMessage.Span] = []
        try fleet.wait("the feed's head") { _ in
            while let parts = try subscriber.receive() {
                let message = try #require(parts[1].withUnsafeBytes { FeedMessage($0) })
                #expect(message.rows.isEmpty, "the feed has rows that are not those of the table")
                heads += message.spans
            }
            return heads.contains { $0.from == 100 && $0.to == 100 }
        }
    }

    @Test("A statement_timeout makes transactions smaller until they are let through, and is told by name")
    func statementTimeout() throws {
        let fleet = try WorkerFleet(Self.events)
        try fleet.database.execute(
            """
            CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                PERFORM pg_sleep(0.08);
                RETURN new; END $$;
            CREATE TRIGGER slow BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION slow();
            DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET statement_timeout = 2000', current_database()); END $$;
            """)
        try fleet.kafka.produce(values(0..<200), to: fleet.topic)
        try fleet.start(0)
        try fleet.assign(0)
        try fleet.waitForOffsets([200])
        try fleet.expectExact(records: 200, rows: 200)
        try fleet.wait("the setting's name") { messages in
            messages.contains {
                if case (0, .failed(_, let reason, _)) = $0 { reason.contains("statement_timeout") } else { false }
            }
        }
        // No restart: the same claim from beginning to end.
        #expect(!fleet.messages.contains { if case (_, .failed("postgres", _, _)) = $0 { true } else { false } })
    }

    @Test("An assignment that comes together with the configuration is not lost")
    func assignedAtOnce() throws {
        let fleet = try WorkerFleet(Self.events)
        try fleet.kafka.produce(values(0..<10), to: fleet.topic)
        try fleet.start(0, assigning: fleet.allSources)
        try fleet.waitForOffsets([10], seconds: 30)
        try fleet.expectExact(records: 10, rows: 10)
    }

    @Test("Every kind of bad record ends in the dead letters with its reason and bytes, the others are stored")
    func badInput() throws {
        let stream = BuiltInStreams.all()[0]
        let fleet = try WorkerFleet(stream)
        let good =
            #"{"timestamp":"2026-11-23T18:00:00Z","stream_id":"00000000-0000-4000-8000-000000000001","longitude":1,"latitude":2,"numbers_of_cars":3}"#
        let bad: [(code: String, value: [UInt8]?)] = [
            ("not_json", Array("{broken".utf8)), ("not_json", [0xFF, 0xFE]), ("not_object", Array("[1]".utf8)),
            ("wrong_type", Array(good.replacing("\"numbers_of_cars\":3", with: "\"numbers_of_cars\":\"many\"").utf8)),
            ("missing", Array("{}".utf8)),
            ("nul", Array(good.replacing("}", with: ",\"label\":\"a\\u0000\"}").utf8)),
            ("out_of_range", Array(good.replacing("\"latitude\":2", with: "\"latitude\":91").utf8)),
            ("out_of_range", Array(good.replacing("\"longitude\":1", with: "\"longitude\":-180.5").utf8)),
            ("empty", nil), ("empty", []),
            (
                "too_large",
                Array(good.replacing("}", with: ",\"label\":\"\(String(repeating: "x", count: 2_000_000))\"}").utf8)
            ),
        ]
        let topic = try fleet.kafka.makeTopic(configuration: ["max.message.bytes": "3000000"])
        try fleet.database.execute("UPDATE millrace.source SET topic = '\(topic)'")
        for (_, value) in bad { try fleet.kafka.produce([Array(good.utf8), value], to: topic) }
        try fleet.start(0)
        try fleet.assign(0)
        try fleet.waitForOffsets([Int64(bad.count * 2)])
        try fleet.expectExact(records: bad.count * 2, rows: bad.count)
        let letters = try fleet.rows(
            "SELECT source_offset, reason_code, length(value) FROM millrace.dead_letter ORDER BY 1")
        #expect(
            letters == bad.enumerated().map { "\($0 * 2 + 1)|\($1.code)|\($1.value.map { String($0.count) } ?? "-")" })
        #expect(
            try fleet.rows("SELECT row_version, source_offset FROM traffic_data_latest") == ["1|\(bad.count * 2 - 2)"])
    }

    @Test("Two workers that were given the same source write each record once, and the loser is told")
    func fenced() throws {
        let fleet = try WorkerFleet(Self.events)
        try fleet.start(0, batchRowLimit: 50)
        try fleet.start(1, batchRowLimit: 50)
        let feed = try fleet.subscriber(0)
        try feed.connect(fleet.feedEndpoint(1))
        try fleet.assign(0)
        // What each has committed, by what it published.
        var written: [(shard: Int32, rows: [Int64])] = []
        func collect() throws {
            while let parts = try feed.receive() {
                let message = try #require(parts[1].withUnsafeBytes { FeedMessage($0) })
                if !message.rows.isEmpty { written.append((message.shard, message.rows.map(\.offset))) }
            }
        }
        var produced = 0
        for turn in 0..<20 {
            try fleet.kafka.produce(values(produced..<(produced + 500)), to: fleet.topic)
            produced += 500
            // Back and forth, without ever releasing: both believe that it is theirs.
            if turn % 4 == 1 { try fleet.assign(Int32((turn / 4 + 1) % 2)) }
        }
        try fleet.waitForOffsets([Int64(produced)])
        try fleet.expectExact(records: produced, rows: produced)
        try fleet.wait("the loser's report") { messages in
            messages.contains { if case (0, .failed("claim", _, _)) = $0 { true } else { false } }
        }
        try collect()
        let offsets = written.flatMap(\.rows)
        #expect(Set(offsets).count == offsets.count, "a row was committed twice")
        for shard in Int32(0)...1 {
            let own = written.filter { $0.shard == shard }.flatMap(\.rows).sorted()
            var runs: [ClosedRange<Int64>] = []
            for offset in own {
                if let last = runs.last, last.upperBound + 1 == offset {
                    runs[runs.count - 1] = last.lowerBound...offset
                } else {
                    runs.append(offset...offset)
                }
            }
            let lost = fleet.messages.count { if case (shard, .failed("claim", _, _)) = $0 { true } else { false } }
            print(
                "figure: shard \(shard) wrote \(own.count) rows, offsets \(runs.map { "\($0.lowerBound)-\($0.upperBound)" }); told \(lost) times that it lost the claim"
            )
        }
    }

    @Test("kill -9 in the middle of a load loses and doubles nothing", arguments: [StreamMode.append, .increment])
    func killed(mode: StreamMode) throws {
        let fleet = try WorkerFleet(mode == .append ? Self.events : BuiltInStreams.all()[1], partitions: 2)
        let total = 20_000
        let payload = mode == .append ? values(0..<total) : (0..<total).map { #"{"sku":"s\#($0 % 7)","quantity":1}"# }
        for partition in Int32(0)..<2 { try fleet.kafka.produce(payload, to: fleet.topic, partition: partition) }
        var shard: Int32 = 0
        var moved: Int64 = 0
        while moved < Int64(2 * total) {
            try fleet.start(shard, batchRowLimit: 250)
            try fleet.assign(shard)
            let target = min(moved + 9000, Int64(2 * total))
            try fleet.wait("progress") { _ in
                moved = Int64(try fleet.rows("SELECT sum(next_offset) FROM millrace.source")[0])!
                return moved >= target
            }
            fleet.signal(shard, SIGKILL)
            #expect(fleet.exitCode(shard) == SIGKILL)
            shard += 1
        }
        #expect(shard >= 3)
        try fleet.expectExact(records: 2 * total, rows: 2 * total)
        if mode == .increment { #expect(try fleet.rows("SELECT sum(quantity) FROM stocks") == [String(2 * total)]) }
    }

    @Test("A worker whose stdin ends commits what it has, gives its sources back and exits")
    func drains() throws {
        let fleet = try WorkerFleet(Self.events)
        try fleet.start(0)
        try fleet.assign(0)
        try fleet.kafka.produce(values(0..<1000), to: fleet.topic)
        try fleet.waitForOffsets([1000])
        try fleet.closeInput(0)
        #expect(fleet.exitCode(0) == ExitCode.success.rawValue)
        #expect(try fleet.rows("SELECT claim, backend_pid FROM millrace.source") == ["-|-"])
        try fleet.wait("released") { $0.contains { if case (0, .released) = $0 { true } else { false } } }
    }

    @Test("A released source is free once everything is committed, and another worker goes on from there")
    func moves() throws {
        let fleet = try WorkerFleet(Self.events, partitions: 2)
        try fleet.start(0)
        try fleet.start(1)
        try fleet.assign(0)
        try fleet.kafka.produce(values(0..<5000), to: fleet.topic)
        try fleet.send(0, .release(sources: [SourceID(rawValue: 1)]))
        try fleet.wait("released") {
            $0.contains { if case (0, .released([SourceID(rawValue: 1)])) = $0 { true } else { false } }
        }
        try fleet.assign(1, [SourceID(rawValue: 1)])
        try fleet.kafka.produce(values(0..<10), to: fleet.topic, partition: 1)
        try fleet.waitForOffsets([5000, 10])
        try fleet.expectExact(records: 5010, rows: 5010)
    }

    @Test("A backend that is terminated under load is an outage that ends by itself, without a dead letter")
    func outage() throws {
        let fleet = try WorkerFleet(Self.events)
        try fleet.start(0, batchRowLimit: 200)
        try fleet.assign(0)
        for turn in 0..<10 {
            try fleet.kafka.produce(values((turn * 1000)..<(turn * 1000 + 1000)), to: fleet.topic)
            try fleet.wait("a backend to terminate") { _ in
                try fleet.rows("SELECT pg_terminate_backend(backend_pid) FROM millrace.source") == ["t"]
            }
        }
        try fleet.waitForOffsets([10_000])
        try fleet.expectExact(records: 10_000, rows: 10_000)
        #expect(try fleet.rows("SELECT count(*) FROM millrace.dead_letter") == ["0"])
        try fleet.wait("the outage's report") {
            $0.contains { if case (_, .failed("postgres", _, _)) = $0 { true } else { false } }
        }
    }

    @Test("A table that somebody has locked stops its stream for a while, and says so, instead of the worker")
    func lockedTable() throws {
        let fleet = try WorkerFleet(Self.events)
        try fleet.start(0)
        try fleet.assign(0)
        try fleet.kafka.produce(values(0..<10), to: fleet.topic)
        try fleet.waitForOffsets([10])
        try fleet.database.execute("BEGIN; LOCK TABLE events IN SHARE MODE")
        try fleet.kafka.produce(values(10..<20), to: fleet.topic)
        try fleet.wait("the stream's report") { messages in
            messages.contains {
                if case (_, .failed("stream events", let reason, _)) = $0 { reason.contains("55P03") } else { false }
            }
        }
        try fleet.wait("a heartbeat that says why") { messages in
            guard case (0, .heartbeat(let progress))? = messages.last else { return false }
            return progress.waitingFor == nil && progress.sources[0].stopped?.contains("lock timeout") == true
        }
        try fleet.database.execute("ROLLBACK")
        // It tries again within a minute.
        try fleet.waitForOffsets([20])
        try fleet.expectExact(records: 20, rows: 20)
    }

    @Test("A server that takes a connection and never answers is an outage that is told, and left for another try")
    func silentServer() throws {
        let fleet = try WorkerFleet(Self.events)
        let server = try SilentServer()
        try fleet.start(0, postgres: server.parameters)
        try fleet.wait("the report") { messages in
            messages.contains {
                if case (0, .failed("postgres", let reason, _)) = $0 { reason.contains("in time") } else { false }
            }
        }
        try fleet.wait("a heartbeat that says so") { messages in
            if case (0, .heartbeat(let progress))? = messages.last { progress.waitingFor == .postgres } else { false }
        }
    }

    @Test("A server that refuses is left alone for a while, however often the coordinator says what to claim")
    func refusedLogin() throws {
        let fleet = try WorkerFleet(Self.events)
        var parameters = try TestPostgres.shared.get().makeDatabase()
        parameters["dbname"]! += "_absent"
        try fleet.start(0, postgres: parameters)
        func isRefusal(_ message: WorkerMessage) -> Bool {
            if case .failed("postgres", let reason, _) = message { reason.contains("does not exist") } else { false }
        }
        try fleet.wait("the refusal") { $0.contains { isRefusal($0.1) } }
        // Each comes up with its generation in a heartbeat.
        for generation in Int64(1)...3 {
            try fleet.assign(0)
            try fleet.wait("a heartbeat") { messages in
                if case (0, .heartbeat(let progress))? = messages.last {
                    progress.generation == generation
                } else {
                    false
                }
            }
        }
        #expect(fleet.messages.filter { isRefusal($0.1) }.count == 1)
    }

    @Test("An offset that Kafka doesn't have stops its source, says so, and leaves the others going")
    func outOfRange() throws {
        let fleet = try WorkerFleet(Self.events, partitions: 2)
        try fleet.database.execute("UPDATE millrace.source SET next_offset = 500, open_from = 500 WHERE id = 1")
        try fleet.kafka.produce(values(0..<10), to: fleet.topic, partition: 0)
        try fleet.kafka.produce(values(0..<10), to: fleet.topic, partition: 1)
        try fleet.start(0)
        try fleet.assign(0)
        try fleet.wait("the stopped source's report") { messages in
            messages.contains {
                if case (_, .failed("offset", _, [SourceID(rawValue: 1)])) = $0 { true } else { false }
            }
        }
        try fleet.waitForOffsets([500, 10])
    }

    @Test("A stream whose table is gone stops where it is, and says why")
    func missingTable() throws {
        let fleet = try WorkerFleet(Self.events)
        try fleet.start(0)
        try fleet.database.execute("DROP TABLE events")
        try fleet.assign(0)
        try fleet.kafka.produce(values(0..<10), to: fleet.topic)
        try fleet.wait("the stream's report") { messages in
            messages.contains {
                if case (_, .failed("stream events", let reason, _)) = $0 { reason.contains("42P01") } else { false }
            }
        }
        try fleet.waitForOffsets([0])
    }
}
