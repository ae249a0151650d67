// What a record costs a worker between Kafka's message and the bytes for Postgres (decoded, encoded for COPY, with its checksum and
// its place in the transaction; `published`: and as JSON for who is subscribed), and what a row costs an edge between its feed and
// its sockets. No Kafka, no Postgres, no sockets, one thread.
//
//     hot-path            nanoseconds of a processor a record of each kind, median of 9
//     hot-path KIND N     N records of one kind and no figure: for tools that count instructions
import BenchmarkSupport
import Common
import Foundation

/// Each returns something that is more than nothing.
let kinds: KeyValuePairs<String, (Int) -> Int> = [
    "append": { count in
        var path = WorkerPath()
        return path.run(count)
    },
    "published": { count in
        var path = WorkerPath(isPublished: true)
        return path.run(count)
    },
    "latest": { count in
        var path = WorkerPath(latest: true)
        return path.run(count)
    },
    "frames": { EdgePath().frames($0) },
    "matches": { EdgePath().matches($0) },
]
if CommandLine.arguments.count == 3, let count = Int(CommandLine.arguments[2]),
    let run = kinds.first(where: { $0.key == CommandLine.arguments[1] })?.value
{
    exit(run(count) > 0 ? 0 : 1)
}
let records = 200_000
for (name, run) in kinds {
    let times = (0..<9).map { _ in
        let before = ProcessUsage.processorSeconds
        precondition(run(records) > 0)
        return (ProcessUsage.processorSeconds - before) * 1e9 / Double(records)
    }
    print("\(name): \(Int(Benchmark.median(times))) ns a record")
}
