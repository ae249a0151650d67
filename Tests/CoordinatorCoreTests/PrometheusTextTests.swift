import Common
import CoordinatorCore
import TestSupport
import Testing

@Suite("Metrics as text")
struct PrometheusTextTests {
    private let text = PrometheusText(SnapshotFixture.make(), FleetMetrics.all).text

    @Test("The whole text follows the format, and each family that has values is in it once")
    func format() throws {
        let scrape = try PrometheusScrape(text)
        #expect(Set(scrape.types.keys) == Set(FleetMetrics.all.map(\.name)))
        #expect(FleetMetrics.all.allSatisfy { $0.name.hasPrefix("millrace_") && $0.help.hasSuffix(".") })
    }

    @Test("Counters are the totals of the fleet; a stream of which nothing came counts from zero")
    func counters() throws {
        let scrape = try PrometheusScrape(text)
        #expect(scrape.value("millrace_rows_total", ["stream": "events"]) == 123_456_789)
        #expect(scrape.value("millrace_rows_total", ["stream": "idle"]) == 0)
        #expect(scrape.value("millrace_dead_letters_total", ["stream": "events"]) == 3)
        #expect(scrape.value("millrace_shard_restarts_total", ["shard": "0"]) == 2)
        #expect(text.contains("\nmillrace_rows_total{stream=\"events\"} 123456789\n"))
    }

    @Test("Histograms are cumulative, in seconds, with the bounds that people write")
    func histograms() throws {
        let scrape = try PrometheusScrape(text)
        func bucket(_ bound: String) -> Double? {
            scrape.value("millrace_kafka_to_commit_seconds_bucket", ["stream": "events", "le": bound])
        }
        #expect(bucket("0.001") == 1 && bucket("0.005") == 1 && bucket("0.01") == 3 && bucket("1000") == 3)
        #expect(bucket("+Inf") == 4)
        #expect(scrape.value("millrace_kafka_to_commit_seconds_sum", ["stream": "events"]) == 2000.015)
        #expect(scrape.value("millrace_batch_records_bucket", ["stream": "events", "le": "50"]) == 1)
        #expect(scrape.value("millrace_batch_records_sum", ["stream": "events"]) == 5030)
    }

    @Test("What is not known is left out, not zero")
    func unknown() throws {
        let scrape = try PrometheusScrape(text)
        #expect(scrape.value("millrace_source_lag_records", ["topic": "events", "partition": "0"]) == 10)
        #expect(scrape.value("millrace_source_lag_records", ["topic": "events", "partition": "1"]) == nil)
        #expect(scrape.value("millrace_source_next_offset", ["topic": "events", "partition": "1"]) == nil)
        #expect(scrape.value("millrace_shard_cpu_seconds_total", ["shard": "0"]) == 1.25)
        #expect(scrape.value("millrace_shard_cpu_seconds_total", ["shard": "1"]) == nil)
    }

    @Test("States are a 1 for the one that holds, and a count of sources each")
    func states() throws {
        let scrape = try PrometheusScrape(text)
        #expect(scrape.value("millrace_shard_state", ["shard": "1"]) == 1)
        #expect(scrape.value("millrace_shard_state", ["shard": "1", "state": "stuck"]) == 1)
        #expect(scrape.value("millrace_shard_waiting", ["waiting_for": "postgres"]) == 1)
        #expect(scrape.value("millrace_sources", ["state": "quarantined"]) == 1)
        #expect(scrape.value("millrace_sources", ["state": "stopped"]) == 0)
        #expect(scrape.value("millrace_healthy") == 1)
    }

    @Test("Quotes, backslashes and line ends in a label's value are escaped, and come back as they were")
    func escapes() throws {
        #expect(text.contains(#"topic="a\"b\\c\nd""#))
        #expect(try PrometheusScrape(text).value("millrace_source_next_offset", ["topic": "a\"b\\c\nd"]) == 5)
    }

    @Test("Numbers that are no numbers have their words")
    func numbers() {
        let family = FleetMetrics.Family("millrace_x", .gauge, "A\\B\nC.") { _ in
            [Double.infinity, -.infinity, .nan, 0.25, -3].map { MetricSample(.number($0)) }
        }
        #expect(
            PrometheusText(SnapshotFixture.make(), [family]).text == """
                # HELP millrace_x A\\\\B\\nC.
                # TYPE millrace_x gauge
                millrace_x +Inf
                millrace_x -Inf
                millrace_x NaN
                millrace_x 0.25
                millrace_x -3

                """)
    }
}
