import Foundation
import Postgres
import TestSupport

extension Contestant {
    /// One thread of C: see Benchmarks/CLoop.
    static var cLoop: Contestant {
        Contestant(name: "C loop") { arena in
            try arena.withDatabase { database in
                var connection = try Connection.open(parameters: database)
                try connection.execute(readingsTable("c_loop"))
                try connection.execute("CREATE TABLE c_loop_offset (partition int PRIMARY KEY, next bigint NOT NULL)")
                let place = database.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
                let before = ProcessorTime.now
                let line = try shell(
                    """
                    \(arena.binaries.path)/c-loop \(arena.kafka.bootstrap) \(arena.topic) \(arena.load.partitions) \
                    \(arena.load.records) '\(place)'
                    """)
                var processor = ProcessorTime.now.since(before, records: arena.load.records)
                processor = processor.filter { ["postgres", "java"].contains($0.key) }
                let figures = line.split(separator: " ").compactMap { Double($0) }
                guard figures.count == 2 else { throw ShellFailure(command: "c-loop", output: line) }
                processor["c-loop"] = figures[1]
                try arena.load.check("c_loop", &connection)
                return Measured(value: figures[0], processor: processor)
            }
        }
    }
}
