import Common
import CoordinatorCore
import Testing

/// What must hold after anything.
extension Fleet {
    /// Rows, positions and ledger are exactly what was produced: n of `0..<perPartition` in each partition.
    func expectExact(perPartition: Int, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let stored = try rows(
            """
            SELECT partition, count(*), count(DISTINCT source_offset), sum(n), bool_and(n = source_offset)
            FROM \(stream.table) JOIN millrace.source ON id = source_id GROUP BY partition ORDER BY partition
            """)
        let sum = perPartition * (perPartition - 1) / 2
        #expect(
            stored == (0..<partitions).map { "\($0)|\(perPartition)|\(perPartition)|\(sum)|t" },
            sourceLocation: sourceLocation)
        let ledger = try rows(
            """
            SELECT sum(records), sum(rows), sum(dead), bool_and(records = rows + dead + skipped) FROM (
                SELECT records, rows, dead, skipped FROM millrace.ledger UNION ALL
                SELECT open_records, open_rows, open_dead, open_skipped FROM millrace.source) AS entries
            """)
        let total = perPartition * Int(partitions)
        #expect(ledger == ["\(total)|\(total)|0|t"], sourceLocation: sourceLocation)
    }

    /// What `verify --deep` finds: nothing but proof.
    func expectProven(sourceLocation: SourceLocation = #_sourceLocation) throws {
        for finding in try verify(deep: true) {
            #expect(finding.breaks == [] && finding.notComparable == [], sourceLocation: sourceLocation)
        }
    }

    /// - Parameter streams: that are configured; nil: the fleet's.
    func verify(deep: Bool, of streams: [StreamDefinition]? = nil) throws -> [Verification.Finding] {
        var verification = try Verification(
            CoordinatorConfiguration(
                shards: 1, streams: streams ?? [stream] + others, kafka: kafkaConfiguration, postgres: postgres,
                runtimeFolder: folder,
                workerExecutable: ""))
        return try verification.run(deep: deep)
    }
}
