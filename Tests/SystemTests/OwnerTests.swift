import Common
import CoordinatorCore
import Foundation
import Postgres
import TestSupport
import Testing

/// Who owns the schema does what only one of a group's coordinators may do. Each duty is held up by a lock of the test's, and its owner
/// killed while it waits.
@Suite("The owner of the schema", .serialized, .timeLimit(.minutes(5)))
struct OwnerTests {
    private static func stream(max: Int?) -> StreamDefinition {
        var stream = StreamDefinition(
            name: "events", topics: [], mode: .append,
            columns: [Column("n", .bigint, required: true), Column("k", .text, maxLength: max)])
        stream.retain = RetentionPeriod("2h")
        return stream
    }

    /// Two coordinators of a group on this machine.
    private final class Pair {
        let hosts: [Fleet]
        private var killed: Fleet?
        var first: Fleet { hosts[0] }

        init(_ stream: StreamDefinition, partitions: Int32) throws {
            hosts = try Fleet.hosts(["a", "b"], stream, partitions: partitions)
            for host in hosts { host.maintenanceSeconds = 1 }
        }

        func waitForBoth() throws {
            for host in hosts {
                try host.waitForStatus("two hosts, one owner") { report in
                    let hosts = report.hosts ?? []
                    return hosts.count == 2 && hosts.allSatisfy { $0.silence < 5 && $0.partitions > 0 }
                        && hosts.filter(\.ownsSchema).count == 1
                }
            }
        }

        func owner() throws -> Fleet {
            var owner: Fleet?
            try first.wait("an owner") {
                for host in hosts where owner == nil {
                    let name = try host.status(within: .seconds(1))?.hosts?.first(where: \.ownsSchema)?.name
                    owner = hosts.first { $0.group?.member == name }
                }
                return owner != nil
            }
            return owner!
        }

        func lock(_ sql: String) throws -> Connection {
            var blocker = try Connection.open(parameters: first.postgres)
            try blocker.execute("BEGIN; \(sql)")
            return blocker
        }

        /// Waits until a statement that has `duty` waits for a lock.
        /// - Returns: the backends.
        func waitForWaiting(_ duty: String) throws -> [String] {
            var pids: [String] = []
            try first.wait("\(duty) to wait") {
                pids = try first.rows(
                    """
                    SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
                        AND query LIKE '%\(duty)%' AND pid <> pg_backend_pid()
                    """)
                return !pids.isEmpty
            }
            return pids
        }

        /// Kills who does it while it is under way. Its session ends, though it waits for the lock still; then the lock is let go, and
        /// the next owner waited for.
        func killOwner(during duty: String, _ blocker: consuming Connection) throws {
            let backends = try waitForWaiting(duty)
            let victim = try owner()
            victim.signal(SIGKILL)
            _ = victim.waitForExit()
            try first.wait("the session of \(duty) to end") {
                let pids = backends.joined(separator: ", ")
                return try first.rows("SELECT count(*) FROM pg_stat_activity WHERE pid IN (\(pids))") == ["0"]
            }
            try blocker.execute("ROLLBACK")
            let other = hosts.first { $0 !== victim }!
            try other.waitForStatus("the next owner, and no other") { report in
                report.hosts?.filter(\.ownsSchema).map(\.name) == [other.group!.member]
            }
            print("figure: the owner was killed during \(duty)")
            killed = victim
        }

        /// Of a worker's statement: kills the host whose worker it is.
        func killHolder(of statement: String, _ blocker: consuming Connection) throws {
            _ = try waitForWaiting(statement)
            let name = try first.rows("SELECT member FROM millrace.source WHERE cluster_id = 'millrace'")[0]
            let victim = hosts.first { $0.group?.member == name }!
            victim.signal(SIGKILL)
            _ = victim.waitForExit()
            try blocker.execute("ROLLBACK")
            killed = victim
        }

        /// The killed one comes back.
        func relaunch() throws {
            try killed?.launch(shards: 1)
            try waitForBoth()
        }
    }

    @Test(
        "Killed in the middle of any duty, it is followed by one who completes it: nothing is lost, nothing is there twice"
    )
    func duties() throws {
        let pair = try Pair(Self.stream(max: 5), partitions: 2)
        let fleet = pair.first
        func produce(_ range: Range<Int>, _ text: String, partition: Int32) throws {
            try fleet.kafka.produce(
                range.map { #"{"n":\#($0),"k":"\#(text)"}"# }, to: fleet.topic, partition: partition)
        }
        try fleet.launch(shards: 1)
        try produce(0..<1000, "short", partition: 0)
        try produce(0..<200, "too long", partition: 1)
        try fleet.waitForRecords(1200)
        try fleet.stop()
        #expect(try fleet.rows("SELECT count(*) FROM millrace.dead_letter") == ["200"])
        try fleet.cutLedger(of: 1, every: 100, hoursAgo: 24 * 8)
        try fleet.execute("UPDATE millrace.ledger SET closed_at = now() WHERE from_offset >= 700")
        for host in pair.hosts {
            host.stream = Self.stream(max: nil)
            host.stream.topics = [fleet.topic]
        }

        // Retention, and folding behind it.
        let row = try pair.lock("SELECT FROM events WHERE n = 50 FOR UPDATE")
        let entry = try pair.lock("SELECT FROM millrace.ledger WHERE from_offset = 200 FOR UPDATE")
        for host in pair.hosts { try host.launch(shards: 1) }
        try pair.waitForBoth()
        try pair.killOwner(during: "DELETE FROM \"public\".\"events\"", row)
        try pair.relaunch()
        try pair.killOwner(during: "fold_ledger", entry)
        try pair.relaunch()
        try fleet.wait("what is old to be gone") {
            try fleet.rows("SELECT count(*), min(n) FROM events") == ["300|700"]
                && fleet.rows("SELECT count(*) FROM millrace.ledger WHERE source_id = 1") == ["4"]
        }

        // Partitions that are new.
        let sources = try pair.lock("LOCK TABLE millrace.source IN SHARE MODE")
        try fleet.kafka.alter(fleet.topic, partitions: 4)
        try pair.killOwner(during: ".source (stream, cluster_id", sources)
        try pair.relaunch()
        for partition in Int32(2)..<4 { try produce(0..<500, "short", partition: partition) }
        try fleet.waitForRecords(2200)

        // A person's request, with its entry in the audit.
        let audit = try pair.lock("LOCK TABLE millrace.audit IN SHARE MODE")
        let asked = try pair.owner()
        let pausing = try asked.commandProcess(["pause", "events"])
        try pausing.run(output: "\(asked.folder)/pause.out", errors: "\(asked.folder)/pause.err")
        try pair.killOwner(during: ".audit (actor", audit)
        kill(pausing.processIdentifier, SIGKILL)
        pausing.waitUntilExit()
        let paused = "SELECT count(*) FROM millrace.source WHERE paused_by IS NOT NULL"
        let noted = "SELECT count(*) FROM millrace.audit WHERE action = 'pause'"
        #expect(
            try fleet.rows(paused) + fleet.rows(noted) == ["0", "0"], "both, or neither")
        let other = try pair.owner()
        try other.done("pause", "events")
        try other.done("resume", "events")
        try pair.relaunch()

        // Dead letters that are replayed by a worker.
        let table = try pair.lock("LOCK TABLE events IN SHARE MODE")
        #expect(try fleet.done("dlq", "replay", "--all").hasPrefix("200 dead letters"))
        try pair.killHolder(of: "COPY", table)
        try pair.relaunch()
        try fleet.wait("the replays") {
            try fleet.rows("SELECT count(*) FROM millrace.dead_letter WHERE replayed_at IS NOT NULL") == ["200"]
        }
        #expect(
            try fleet.rows("SELECT count(*), count(DISTINCT (source_id, source_offset)) FROM events") == ["1500|1500"])
        // Of the entries that this test has cut only the first has a checksum, and its rows are gone.
        for finding in try fleet.verify(deep: true) {
            #expect(finding.breaks.filter { !$0.contains("checksum") || finding.source.rawValue != 1 } == [])
        }
        for host in pair.hosts { try host.stop() }
    }

    @Test("Killed while it makes the schema, it leaves nothing, and the next one makes it whole")
    func migrations() throws {
        let pair = try Pair(Self.stream(max: nil), partitions: 2)
        let fleet = pair.first
        try fleet.execute("CREATE SCHEMA millrace")
        var blocker = try pair.lock("CREATE TABLE millrace.source (id int)")
        try fleet.launch(shards: 1)
        let backends = try pair.waitForWaiting("CREATE TABLE IF NOT EXISTS%.source (")
        fleet.signal(SIGKILL)
        _ = fleet.waitForExit()
        for pid in backends { try fleet.execute("SELECT pg_terminate_backend(\(pid))") }
        try blocker.execute("ROLLBACK")
        let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'millrace'"
        try fleet.wait("nothing to be left") { try fleet.rows(tables) == ["0"] }
        for host in pair.hosts.reversed() { try host.launch(shards: 1) }
        try pair.waitForBoth()
        for partition in Int32(0)..<2 {
            try fleet.kafka.produce((0..<100).map { #"{"n":\#($0)}"# }, to: fleet.topic, partition: partition)
        }
        try fleet.waitForRecords(200)
        try fleet.expectExact(perPartition: 100)
        try fleet.expectProven()
        for host in pair.hosts { try host.stop() }
    }
}
