import BenchmarkSupport
import Common
import Dispatch
import Postgres

extension Contestant {
    private static let batchRowCount = 5000

    /// The DDL of a table like the one that Millrace makes of readings.
    static func readingsTable(_ name: String) -> String {
        """
        CREATE TABLE \(name) ("timestamp" timestamptz NOT NULL, stream_id uuid NOT NULL, location text,
            longitude float8 NOT NULL, latitude float8 NOT NULL, numbers_of_cars int NOT NULL, label text, type text,
            source_id int NOT NULL, source_offset bigint NOT NULL, PRIMARY KEY (source_id, source_offset))
        """
    }

    /// COPY BINARY of the same rows, encoded before: what Postgres takes on this machine.
    static func copy(connections: Int) -> Contestant {
        Contestant(name: "COPY from memory, \(connections)") { arena in
            try arena.withDatabase { database in
                var setup = try Connection.open(parameters: database)
                try setup.execute(readingsTable("raw"))
                // Each connection has partitions of its own, as workers have.
                let buffers = (0..<connections).map { connection in
                    let own = (0..<arena.load.records).filter { $0 % arena.load.partitions % connections == connection }
                    return stride(from: 0, to: own.count, by: batchRowCount).map {
                        rows(own[$0..<min($0 + batchRowCount, own.count)], partitions: arena.load.partitions)
                    }
                }
                let before = ProcessorTime.now
                let time = ContinuousClock().measure {
                    DispatchQueue.concurrentPerform(iterations: connections) { index in
                        do {
                            var connection = try Connection.open(parameters: database)
                            for buffer in buffers[index] {
                                let copy = CopyData(buffer)
                                try connection.execute(
                                    Script("BEGIN; COPY raw FROM STDIN (FORMAT binary); COMMIT", copies: [copy]))
                            }
                        } catch { fatalError("\(error)") }
                    }
                }
                let measured = Measured(
                    value: Double(arena.load.records) / (time / .seconds(1)),
                    processor: ProcessorTime.now.since(before, records: arena.load.records))
                try arena.load.check("raw", &setup)
                return measured
            }
        }
    }

    private static func rows(_ indices: ArraySlice<Int>, partitions: Int) -> [UInt8] {
        var writer = ByteWriter(capacity: 1 << 20)
        writer.copyStart()
        for index in indices {
            writer.copyRow(fieldCount: 10)
            writer.copyField(Int64(index))
            writer.copyField(Benchmark.identifier(index))
            writer.copyField("Ring road, kilometre \(index % 97)")
            writer.copyField(13.0 + Double(index % 1000) / 1000)
            writer.copyField(52.0 + Double(index % 777) / 1000)
            writer.copyField(Int32(Benchmark.cars(index)))
            writer.copyField(Benchmark.labels[index % 3])
            writer.copyField("camera")
            writer.copyField(Int32(index % partitions))
            writer.copyField(Int64(index / partitions))
        }
        writer.copyEnd()
        return Array(writer.bytes)
    }
}
