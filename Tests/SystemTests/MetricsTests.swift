import Common
import CoordinatorCore
import Foundation
import TestSupport
import Testing

@Suite("Metrics and health", .serialized, .timeLimit(.minutes(5)))
struct MetricsTests {
    private static let events = StreamDefinition(
        name: "events", topics: [], mode: .append, columns: [Column("n", .bigint, required: true)])

    private func produce(_ fleet: Fleet, _ values: [String]) throws {
        for partition in 0..<fleet.partitions { try fleet.kafka.produce(values, to: fleet.topic, partition: partition) }
    }

    private func client(_ fleet: Fleet) throws -> HTTPClient {
        let report = try fleet.waitForStatus("an address for metrics") { $0.metrics != nil }
        return try HTTPClient(try #require(report.metrics))
    }

    private func scrape(_ client: HTTPClient) throws -> PrometheusScrape {
        let answer = try client.get("/metrics")
        #expect(answer.status == 200 && answer.fields["content-type"] == PrometheusText.contentType)
        return try PrometheusScrape(answer.body)
    }

    /// Scrapes until it is as wanted.
    private func scrape(
        _ fleet: Fleet, _ client: HTTPClient, _ what: String, until isAsWanted: (PrometheusScrape) -> Bool
    ) throws -> PrometheusScrape {
        var last: PrometheusScrape?
        try fleet.wait("\(what); last: \(String(describing: last?.values))", seconds: 60) {
            last = try? scrape(client)
            return last.map(isAsWanted) ?? false
        }
        return last!
    }

    @Test("Counters are the rows and dead letters that are stored, and offsets those of Kafka")
    func counters() throws {
        let fleet = try Fleet(Self.events, partitions: 4)
        try fleet.done("start", "--shards", "2", "--metrics", "127.0.0.1:0", "--detach")
        defer { _ = try? fleet.command("stop") }
        let client = try client(fleet)
        let log = try String(contentsOfFile: fleet.folder + "/coordinator.log", encoding: .utf8)
        #expect(log.contains("metrics and health on http://\(try #require(try fleet.status()?.metrics))/metrics"))
        try produce(fleet, (0..<500).map { #"{"n":\#($0)}"# } + ["no JSON"])
        try fleet.waitForRecords(2004)
        let scrape = try scrape(fleet, client, "all rows are counted") {
            $0.value("millrace_rows_total", ["stream": "events"]) == 2000
                && $0.values.count { $0.key.name == "millrace_source_lag_records" && $0.value == 0 } == 4
                && $0.value("millrace_healthy") == 1
        }
        let events = ["stream": "events"]
        #expect(try fleet.rows("SELECT count(*) FROM events") == ["2000"])
        #expect(scrape.value("millrace_dead_letters_total", events) == 4)
        let transactions = try #require(scrape.value("millrace_transactions_total", events))
        #expect(transactions >= 2)
        #expect(scrape.value("millrace_commit_seconds_count", events) == transactions)
        #expect(scrape.value("millrace_batch_records_count", events) == transactions)
        #expect(scrape.value("millrace_batch_records_sum", events) == 2004)
        #expect((scrape.value("millrace_kafka_to_commit_seconds_count", events) ?? 0) > 0)
        for partition in 0..<4 {
            let place = ["topic": fleet.topic, "partition": String(partition)]
            #expect(scrape.value("millrace_source_next_offset", place) == 501)
            #expect(scrape.value("millrace_source_end_offset", place) == 501)
            #expect(scrape.value("millrace_source_state", place.merging(["state": "running"]) { $1 }) == 1)
        }
        for shard in ["0", "1"] {
            #expect(scrape.value("millrace_shard_state", ["shard": shard, "state": "running"]) == 1)
            #expect((scrape.value("millrace_shard_cpu_seconds_total", ["shard": shard]) ?? 0) > 0)
            #expect((scrape.value("millrace_shard_resident_memory_bytes", ["shard": shard]) ?? 0) > 1_000_000)
        }
        #expect((scrape.value("millrace_coordinator_resident_memory_bytes") ?? 0) > 1_000_000)
        #expect(try client.get("/livez").status == 200)
        #expect(try client.request("POST /metrics HTTP/1.1").status == 405)

        try fleet.done("pause", "\(fleet.topic):1")
        _ = try self.scrape(fleet, client, "one is paused") { $0.value("millrace_sources", ["state": "paused"]) == 1 }
        let victim = try #require(fleet.workerPIDs().first)
        kill(victim, SIGKILL)
        _ = try self.scrape(fleet, client, "a restart is counted, and no row twice") { scrape in
            ["0", "1"].contains { scrape.value("millrace_shard_restarts_total", ["shard": $0]) == 1 }
                && scrape.value("millrace_healthy") == 1 && scrape.value("millrace_rows_total", events) == 2000
        }
    }

    @Test("An outage of Postgres makes the fleet not ready, with a reason, but live; after it, it is ready again")
    func outage() throws {
        let server = try TestPostgres()
        let fleet = try Fleet(Self.events, partitions: 1, server: server)
        try fleet.done("start", "--shards", "1", "--metrics", "127.0.0.1:0", "--detach")
        defer { _ = try? fleet.command("stop") }
        let client = try client(fleet)
        try fleet.wait("ready", seconds: 60) { try client.get("/readyz").status == 200 }
        try server.crash()
        try produce(fleet, [#"{"n":1}"#])
        var reasons = ""
        try fleet.wait("not ready because of Postgres, but: \(reasons)", seconds: 60) {
            let answer = try client.get("/readyz")
            reasons = answer.body
            return answer.status == 503 && reasons.contains("shard 0 waits for postgres")
        }
        #expect(try scrape(client).value("millrace_healthy") == 0)
        #expect(try client.get("/livez").status == 200)
        try server.revive()
        try fleet.wait("ready again", seconds: 60) { try client.get("/readyz").status == 200 }
        try fleet.waitForRecords(1)
    }

    @Test("A port that is taken is one line with the address, exit code 69, and no fleet")
    func taken() throws {
        let fleet = try Fleet(Self.events, partitions: 1)
        try fleet.done("start", "--shards", "1", "--metrics", "127.0.0.1:0", "--detach")
        defer { _ = try? fleet.command("stop") }
        let address = try #require(try fleet.status()?.metrics)
        let other = try Fleet(Self.events, partitions: 1)
        let output = try other.command(["start"], environment: ["MILLRACE_METRICS": address])
        #expect(output.code == ExitCode.unavailable.rawValue)
        #expect(output.errors.contains(address) && output.errors.contains("Address already in use"), "\(output.errors)")
        #expect(output.errors.split(separator: "\n").count == 1, "\(output.errors)")
        #expect(other.workerPIDs() == [])
        // A flag counts before the environment.
        let wrong = try other.command(["start", "--metrics", "here"], environment: ["MILLRACE_METRICS": address])
        #expect(wrong.code == ExitCode.configuration.rawValue && wrong.errors.contains("HOST:PORT"), "\(wrong.errors)")
    }

    @Test("Without --metrics nothing is served")
    func off() throws {
        let fleet = try Fleet(Self.events, partitions: 1)
        try fleet.done("start", "--shards", "1", "--detach")
        defer { _ = try? fleet.command("stop") }
        #expect(try fleet.status()?.metrics == nil)
        #expect(!(try String(contentsOfFile: fleet.folder + "/coordinator.log", encoding: .utf8)).contains("http:"))
    }
}
