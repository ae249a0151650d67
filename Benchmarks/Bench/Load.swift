import BenchmarkSupport
import Postgres
import TestSupport

/// Records of a topic.
struct Load {
    var records = Benchmark.setting("RECORDS", 1_000_000)
    var partitions = Benchmark.setting("PARTITIONS", 8)
    /// Where a record goes, and its value.
    var record: (Int) -> (partition: Int, value: [UInt8])
    /// What a table holds when each record is in it once, as an SQL expression over its rows and the value of that. Rows that were
    /// there before have a negative source.
    var proof: (sql: String, value: (Load) -> String)?

    static let isOfRecord = "source_id >= 0"

    func check(_ table: String, _ connection: inout Connection) throws {
        guard let proof else { return }
        let found =
            try connection.execute("SELECT \(proof.sql) FROM \(table) WHERE \(Self.isOfRecord)")[0].text(0, 0) ?? ""
        let wanted = proof.value(self)
        guard found == wanted else {
            throw ShellFailure(command: "look at \(table)", output: "\(proof.sql) is \(found), not \(wanted)")
        }
    }

    /// Readings of 500 cameras in turn.
    static func readings() -> Load {
        var load = Load { _ in (0, []) }
        let partitions = load.partitions
        load.record = { ($0 % partitions, Benchmark.reading($0)) }
        load.proof = (
            "count(*) || ' ' || coalesce(sum(numbers_of_cars), 0)",
            { load in "\(load.records) \((0..<load.records).reduce(0) { $0 + Benchmark.cars($1) })" }
        )
        return load
    }
}
