import Common
import JSONRecords
import Postgres
import ShardWorkerCore
import TestSupport
import Testing

@Suite("The transaction of a batch", .timeLimit(.minutes(3)))
struct BatchTransactionTests {
    private static let readings = StreamDefinition(
        name: "readings", topics: ["t"], mode: .append, key: ["id"], latest: true,
        columns: [Column("id", .text, required: true), Column("n", .integer, min: 0)])
    private static let items = StreamDefinition(
        name: "items", topics: ["t"], mode: .upsert, key: ["id"], columns: [Column("id", .text), Column("n", .integer)])
    private static let stocks = BuiltInStreams.all()[1]

    @Test("Rows, latest, dead letters, offsets and ledger commit together")
    func append() throws {
        let fixture = try BatchFixture(Self.readings, sources: 2)
        fixture.add(#"{"id":"a","n":1}"#, offset: 0)
        fixture.add(#"{"id":"a","n":-1}"#, offset: 1, key: "k")
        fixture.add(#"{"id":"b","n":2}"#, offset: 5, source: 2)
        fixture.add(#"{"id":"a","n":3}"#, offset: 7)
        fixture.add(nil, offset: 8)
        fixture.batch.advance(SourceID(rawValue: 2), to: 9)
        let results = try fixture.commit(fixture.transaction())
        #expect(results.count == 3)
        #expect(try fixture.rows("SELECT * FROM readings ORDER BY 3, 4") == ["a|1|1|0", "a|3|1|7", "b|2|2|5"])
        #expect(try fixture.rows("SELECT * FROM readings_latest ORDER BY 1") == ["a|3|1|7|1|f", "b|2|2|5|1|f"])
        #expect(
            try fixture.rows("SELECT source_offset, reason_code, key, value FROM millrace.dead_letter ORDER BY 1")
                == ["1|out_of_range|\\x6b|\\x7b226964223a2261222c226e223a2d317d", "8|empty|-|-"])
        #expect(
            try fixture.rows(
                "SELECT next_offset, open_from, open_records, open_rows, open_dead FROM millrace.source ORDER BY id")
                == ["9|0|4|2|2", "9|0|1|1|0"])
        // The log itself has the changes.
        #expect(try fixture.rows("SELECT count(*) FROM millrace.change") == ["0"])
    }

    @Test("A closed ledger entry joins the open one without a gap")
    func ledger() throws {
        let fixture = try BatchFixture(Self.readings)
        for offset in Int64(0)..<4 {
            fixture.add(#"{"id":"a"}"#, offset: offset)
            try fixture.commit(fixture.transaction(closing: offset % 2 == 1))
            fixture.batch.removeAll()
        }
        #expect(
            try fixture.rows("SELECT from_offset, to_offset, records, rows FROM millrace.ledger ORDER BY 1") == [
                "0|2|2|2", "2|4|2|2",
            ])
        #expect(try fixture.rows("SELECT open_from, open_records, open_checksum FROM millrace.source") == ["4|0|0"])
    }

    @Test("A stale claim or position raises, names the sources, and leaves nothing behind")
    func fence() throws {
        let fixture = try BatchFixture(Self.readings, sources: 3)
        for source in Int32(1)...3 { fixture.add(#"{"id":"a"}"#, offset: 0, source: source) }
        try fixture.connection.execute("UPDATE millrace.source SET claim = gen_random_uuid() WHERE id = 2")
        try fixture.connection.execute("UPDATE millrace.source SET next_offset = 1 WHERE id = 3")
        let transaction = fixture.transaction()
        do throws(PostgresError) {
            try fixture.commit(transaction)
            Issue.record("a stale transaction committed")
        } catch {
            #expect(error.disposition == .claimLost && error.detail == "2,3")
        }
        #expect(try fixture.rows("SELECT count(*) FROM readings") == ["0"])
        #expect(try fixture.rows("SELECT next_offset FROM millrace.source ORDER BY id") == ["0", "0", "1"])
    }

    @Test("The same transaction sent twice stores its rows once")
    func sentTwice() throws {
        let fixture = try BatchFixture(Self.stocks)
        fixture.add(#"{"sku":"a","quantity":5}"#, offset: 0)
        let transaction = fixture.transaction()
        try fixture.commit(transaction)
        do throws(PostgresError) {
            try fixture.commit(transaction)
            Issue.record("the second one committed")
        } catch { #expect(error.disposition == .claimLost) }
        #expect(try fixture.rows("SELECT quantity FROM stocks") == ["5"])
    }

    @Test("An upsert keeps the newest record of a key, in a batch and between batches, and never goes backwards")
    func upsert() throws {
        let fixture = try BatchFixture(Self.items, sources: 2)
        fixture.add(#"{"id":"a","n":1}"#, offset: 0)
        fixture.add(#"{"id":"a","n":2}"#, offset: 1)
        fixture.add(#"{"id":"b","n":1}"#, offset: 2)
        try fixture.commit(fixture.transaction())
        fixture.batch.removeAll()
        fixture.add(nil, offset: 3, key: "b")
        fixture.add(#"{"id":"a","n":9}"#, offset: 0, source: 2)
        try fixture.commit(fixture.transaction())
        #expect(try fixture.rows("SELECT * FROM items ORDER BY 1") == ["a|9|2|0|2|f", "b|-|1|3|2|t"])
        #expect(try fixture.rows("SELECT open_records, open_rows FROM millrace.source ORDER BY id") == ["4|4", "1|1"])
    }

    @Test("A tombstone of a key with several columns names them in a JSON array; any other key is a dead letter")
    func compositeTombstone() throws {
        let stream = StreamDefinition(
            name: "bins", topics: ["t"], mode: .upsert, key: ["shelf", "number"],
            columns: [
                Column("number", .bigint, required: true), Column("content", .text),
                Column("shelf", .text, required: true),
            ])
        let fixture = try BatchFixture(stream)
        for (offset, number) in [7, 8].enumerated() {
            fixture.add(#"{"shelf":"a\"é","number":\#(number),"content":"bolts"}"#, offset: Int64(offset))
        }
        fixture.add(nil, offset: 2, key: #"["a\"é",7]"#)
        for (offset, key) in ["a", "[]", #"["a"]"#, #"["a",null]"#, #"["a",[1]]"#, #"["a","x"]"#].enumerated() {
            fixture.add(nil, offset: Int64(3 + offset), key: key)
        }
        try fixture.commit(fixture.transaction())
        #expect(
            try fixture.rows("SELECT shelf, number, content, deleted FROM bins ORDER BY number") == [
                "a\"é|7|-|t", "a\"é|8|bolts|f",
            ])
        #expect(
            try fixture.rows("SELECT reason_code, count(*) FROM millrace.dead_letter GROUP BY 1 ORDER BY 1") == [
                "bad_key|5", "wrong_type|1",
            ])
    }

    @Test("A tombstone without a usable key is a dead letter")
    func badTombstone() throws {
        let fixture = try BatchFixture(Self.items)
        fixture.add(nil, offset: 0)
        try fixture.commit(fixture.transaction())
        #expect(try fixture.rows("SELECT reason_code FROM millrace.dead_letter") == ["bad_key"])
    }

    @Test(
        "One refused row among many costs about two transactions a halving, the others are stored",
        arguments: [(1000, 22), (10_000, 30)])
    func bisect(count: Int, limit: Int) throws {
        let fixture = try BatchFixture(Self.items)
        let guilty = count * 613 / 1000
        try fixture.connection.execute("ALTER TABLE items ADD CHECK (n <> \(guilty))")
        for offset in 0..<count { fixture.add(#"{"id":"\#(offset)","n":\#(offset)}"#, offset: Int64(offset)) }
        try fixture.commitSplitting()
        // The whole, two a halving, and the dead letter.
        #expect(fixture.sentCount <= limit)
        print(
            "figure: 1 refused row among \(count): \(fixture.sentCount) transactions, \(fixture.statementCount) statements"
        )
        #expect(
            try fixture.rows("SELECT count(*), count(*) FILTER (WHERE n = \(guilty)) FROM items") == ["\(count - 1)|0"])
        #expect(
            try fixture.rows("SELECT source_offset, reason_code FROM millrace.dead_letter") == ["\(guilty)|refused"])
        #expect(
            try fixture.rows("SELECT next_offset, open_rows, open_dead FROM millrace.source") == [
                "\(count)|\(count - 1)|1"
            ])
    }

    @Test("A sum below its minimum is refused where it happens: 0, −5, +10 is a dead letter and 10")
    func incrementMinimum() throws {
        let fixture = try BatchFixture(Self.stocks)
        for (offset, change) in [0, -5, 10].enumerated() {
            fixture.add(#"{"sku":"a","quantity":\#(change)}"#, offset: Int64(offset))
        }
        try fixture.commitSplitting()
        #expect(try fixture.rows("SELECT quantity FROM stocks") == ["10"])
        #expect(try fixture.rows("SELECT source_offset, reason_code FROM millrace.dead_letter") == ["1|below_minimum"])
    }

    @Test("Increments keep the newest name, and a delete starts a row from nothing")
    func incrementNames() throws {
        let fixture = try BatchFixture(Self.stocks)
        fixture.add(#"{"sku":"a","name":"bolt","quantity":5}"#, offset: 0)
        fixture.add(#"{"sku":"a","quantity":2}"#, offset: 1)
        try fixture.commit(fixture.transaction())
        #expect(try fixture.rows("SELECT name, quantity, row_version FROM stocks") == ["bolt|7|1"])
        fixture.batch.removeAll()
        fixture.add(nil, offset: 2, key: "a")
        fixture.add(#"{"sku":"a","quantity":3}"#, offset: 3)
        try fixture.commit(fixture.transaction())
        #expect(try fixture.rows("SELECT name, quantity, deleted, row_version FROM stocks") == ["-|3|f|2"])
        fixture.batch.removeAll()
        fixture.add(nil, offset: 4, key: "a")
        let results = try fixture.commit(fixture.transaction())
        #expect(results.last?.text(0, 5) == "3" && results.last?.text(0, 6) == "t")
        fixture.batch.removeAll()
        fixture.add(#"{"sku":"a","quantity":1}"#, offset: 5)
        try fixture.commit(fixture.transaction())
        #expect(try fixture.rows("SELECT quantity, deleted FROM stocks") == ["1|f"])
    }

    @Test("Columns may be called what Millrace called its own, as long as Postgres takes, and sums with them")
    func formerNames() throws {
        let long = String(repeating: "q", count: 63)
        let stream = StreamDefinition(
            name: "stock", topics: ["t"], table: "\(long).\(long)", mode: .increment, key: ["k"],
            increments: ["q", long],
            columns: [
                Column("k", .text), Column("q", .bigint, min: 0), Column(long, .bigint), Column("restarted", .text),
                Column("lowest_q", .text), Column("t", .text), Column("s", .text),
            ])
        let fixture = try BatchFixture(stream, setUp: "CREATE SCHEMA \(long)")
        fixture.add(#"{"k":"a","q":5,"\#(long)":1,"restarted":"x","lowest_q":"y"}"#, offset: 0)
        fixture.add(#"{"k":"a","q":-3,"\#(long)":1,"restarted":"z"}"#, offset: 1)
        try fixture.commitSplitting()
        #expect(
            try fixture.rows("SELECT k, q, \(long), restarted, lowest_q FROM \(long).\(long)") == ["a|2|2|z|y"])
    }

    @Test("A sum beyond 64 bits is a dead letter, not an outage")
    func incrementOverflow() throws {
        var stream = Self.stocks
        stream.columns[2].jsonString = true
        stream.columns[2].min = nil
        let fixture = try BatchFixture(stream)
        for offset in Int64(0)..<2 { fixture.add(#"{"sku":"a","quantity":9223372036854775807}"#, offset: offset) }
        try fixture.commitSplitting()
        #expect(try fixture.rows("SELECT quantity FROM stocks") == ["9223372036854775807"])
        #expect(try fixture.rows("SELECT source_offset, reason_code FROM millrace.dead_letter") == ["1|refused"])
    }

    @Test("However records are batched, increments end as one by one", arguments: 0..<8)
    func incrementOracle(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let fixture = try BatchFixture(Self.stocks)
        var expected: [String: Int64] = [:]
        var dead: [String] = []
        var offset: Int64 = 0
        while offset < 300 {
            for _ in 0..<Int.random(in: 1...60, using: &random) {
                let sku = ["a", "b", "c", "d"].randomElement(using: &random)!
                if Int.random(in: 0..<20, using: &random) == 0 {
                    fixture.add(nil, offset: offset, key: sku)
                    expected[sku] = 0
                } else {
                    let change = Int64.random(in: -10...10, using: &random)
                    fixture.add(#"{"sku":"\#(sku)","quantity":\#(change)}"#, offset: offset)
                    if expected[sku, default: 0] + change < 0 {
                        dead.append(String(offset))
                    } else {
                        expected[sku, default: 0] += change
                    }
                }
                offset += 1
            }
            try fixture.commitSplitting()
        }
        let rows = try fixture.rows("SELECT sku, CASE WHEN deleted THEN 0 ELSE quantity END FROM stocks ORDER BY sku")
        #expect(
            rows.filter { !$0.hasSuffix("|0") }
                == expected.filter { $0.value != 0 }.sorted { $0.key < $1.key }.map { "\($0.key)|\($0.value)" })
        #expect(try fixture.rows("SELECT source_offset FROM millrace.dead_letter ORDER BY 1") == dead)
        #expect(
            try fixture.rows(
                "SELECT next_offset = open_records, open_records = open_rows + open_dead FROM millrace.source")
                == ["t|t"])
    }
}
