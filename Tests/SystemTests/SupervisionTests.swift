import Common
import Foundation
import TestSupport
import Testing

@Suite("Supervision of real processes", .serialized, .timeLimit(.minutes(5)))
struct SupervisionTests {
    private static let events = StreamDefinition(
        name: "events", topics: [], mode: .append, columns: [Column("n", .bigint, required: true)])

    /// A library that ends the process that hashes a record with a certain text: as a bug in the decoder would.
    private func makeTrap(in folder: String) throws -> String {
        let source = """
            #define _GNU_SOURCE
            #include <dlfcn.h>
            #include <stdlib.h>
            #include <string.h>
            typedef unsigned long long hash;
            hash XXH64(const void *data, size_t size, hash seed) {
              static hash (*original)(const void *, size_t, hash);
              if (!original) original = dlsym(RTLD_NEXT, "XXH64");
              if (size >= 4 && memmem(data, size, "TRAP", 4)) abort();
              return original(data, size, seed);
            }
            """
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try source.write(toFile: folder + "/trap.c", atomically: false, encoding: .utf8)
        try shell("cc -shared -fPIC -O1 -o \(folder)/trap.so \(folder)/trap.c -ldl")
        return folder + "/trap.so"
    }

    private func load(_ fleet: Fleet, _ range: Range<Int>, trapIn partition: Int32? = nil) throws {
        for number in 0..<fleet.partitions {
            var values = range.map { #"{"n":\#($0)}"# }
            if number == partition { values.insert("TRAP", at: values.count / 2) }
            try fleet.kafka.produce(values, to: fleet.topic, partition: number)
        }
    }

    @Test("A record that kills every worker puts its source alone into quarantine; the others go on")
    func quarantine() throws {
        let fleet = try Fleet(Self.events, partitions: 4)
        try fleet.launch(shards: 2, preload: try makeTrap(in: fleet.folder))
        try load(fleet, 0..<1000)
        try fleet.waitForRecords(4000)
        try load(fleet, 1000..<2000, trapIn: 2)
        let report = try fleet.waitForStatus("one in quarantine, the others done") { report in
            report.sources.allSatisfy { $0.partition == 2 ? $0.state == "quarantined" : $0.lag == 0 }
        }
        let deadly = try #require(report.sources.first { $0.partition == 2 })
        print("figure: status says: \(report.problems)")
        #expect(!report.healthy && report.problems.contains { $0.contains(":2 quarantined: quarantine: record 1500") })
        #expect(report.notices.contains { $0.text.contains("its record 1500") } && deadly.shard == nil)
        try fleet.waitForStatus("a restart for each death") { $0.shards.reduce(0) { $0 + $1.restarts } == 3 }
        try load(fleet, 2000..<2500)
        try fleet.wait("the others go on") {
            try fleet.rows(
                "SELECT count(*) FROM events JOIN millrace.source s ON s.id = source_id WHERE partition <> 2") == [
                    "7500"
                ]
        }
        // What was committed before the trap is there, each row once.
        let stored = try fleet.rows(
            "SELECT count(*) >= 1000, count(*) = count(DISTINCT source_offset), count(*) = max(n) + 1 FROM events WHERE source_id = \(deadly.id)"
        )
        #expect(stored == ["t|t|t"])
        // A new coordinator knows it too; without the trap, resume lets it go on.
        fleet.signal(SIGKILL)
        _ = fleet.waitForExit()
        try fleet.waitForNoWorkers()
        try fleet.launch(shards: 2)
        try fleet.waitForStatus("still in quarantine") { $0.sources.contains { $0.state == "quarantined" } }
        try fleet.done("resume", "\(fleet.topic):2")
        try fleet.waitForRecords(10_001)
        try fleet.waitForStatus("healthy") { $0.healthy }
        #expect(try fleet.rows("SELECT count(*) FROM events") == ["10000"])
        #expect(try fleet.rows("SELECT reason_code FROM millrace.dead_letter") == ["not_json"])
        try fleet.expectProven()
    }

    private func descriptors(_ pid: Int32) -> [String: String] {
        let folder = "/proc/\(pid)/fd"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.reduce(into: [:]) { found, name in
            found[name] = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(name)")
        }
    }

    @Test(
        "A worker has a process group of its own, no signal blocked or ignored but SIGPIPE, and no descriptor too many")
    func hygiene() throws {
        let fleet = try Fleet(Self.events, partitions: 1)
        try fleet.launch(shards: 2)
        try fleet.waitForStatus("two running") { $0.shards.allSatisfy { $0.state == "running" } }
        let workers = fleet.workerPIDs()
        #expect(workers.count == 2)
        for pid in workers {
            let stat = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
            let fields = stat[stat.lastIndex(of: ")")!...].split(separator: " ")
            #expect(fields[3] == "\(pid)", "its process group is \(fields[3])")
            let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
            func mask(_ name: String) throws -> UInt64 {
                let line = try #require(status.split(separator: "\n").first { $0.hasPrefix(name + ":") })
                return try #require(UInt64(line.split(separator: "\t").last!, radix: 16))
            }
            // The main thread's; bit n − 1 is signal n (proc(5)).
            #expect(try mask("SigBlk") == 0)
            // 32 and 33 are glibc's own: its posix_spawn ignores them in a child (make does so), and signal(2) refuses them.
            let ignored = try mask("SigIgn") & ~(0b11 << 31)
            #expect(ignored == 1 << (UInt64(SIGPIPE) - 1), "ignored are \(String(ignored, radix: 16))")
            for (name, target) in descriptors(pid) where Int(name)! > 2 {
                #expect(
                    target.hasPrefix("socket:") || target.hasPrefix("anon_inode:") || target.hasPrefix("pipe:")
                        || target.hasPrefix("/dev/"), "descriptor \(name) is \(target)")
                // librdkafka talks to its own threads through pipes: nobody else has an end of those.
                let others = (workers + [fleet.pid]).filter { $0 != pid }
                #expect(
                    !target.hasPrefix("pipe:") || !others.contains { descriptors($0).values.contains(target) },
                    "descriptor \(name), \(target), is another process's too")
            }
        }
        fleet.signal(SIGTERM)
        #expect(fleet.waitForExit() == ExitCode.success.rawValue)
    }

    @Test("A second signal ends a fleet whose worker doesn't drain")
    func secondSignal() throws {
        let fleet = try Fleet(Self.events, partitions: 2)
        try fleet.launch(shards: 2)
        try fleet.waitForStatus("two running") { $0.shards.allSatisfy { $0.state == "running" } }
        let victim = try #require(fleet.workerPIDs().first)
        kill(victim, SIGSTOP)
        fleet.signal(SIGTERM)
        try fleet.wait("the other to go") { fleet.workerPIDs() == [victim] }
        fleet.signal(SIGTERM)
        #expect(fleet.waitForExit() == ExitCode.success.rawValue)
        try fleet.waitForNoWorkers(seconds: 5)
    }
}
