import CoordinatorCore
import Testing

@Suite("Metrics pages")
struct MetricsPagesTests {
    private let start = ContinuousClock.now

    private func status(_ path: String, _ snapshot: FleetSnapshot?, after: Duration) -> UInt32 {
        MetricsPages(snapshot, start: start, now: start + after).answer(path).status
    }

    @Test("A loop that turned of late is live; one that hangs is neither live nor ready")
    func hang() {
        let snapshot = SnapshotFixture.make(at: start)
        #expect(status("/livez", snapshot, after: .seconds(5)) == 200)
        #expect(status("/readyz", snapshot, after: .seconds(5)) == 200)
        #expect(status("/livez", snapshot, after: .seconds(6)) == 503)
        let ready = MetricsPages(snapshot, start: start, now: start + .seconds(6)).answer("/readyz")
        #expect(ready.status == 503 && ready.text == "the coordinator's loop has not turned for 6 s\n")
        // What was last known may still help.
        #expect(status("/metrics", snapshot, after: .seconds(6)) == 200)
    }

    @Test("Before its first turn the coordinator is live for a while, but not ready")
    func starting() {
        #expect(status("/livez", nil, after: .seconds(1)) == 200)
        #expect(status("/livez", nil, after: .seconds(6)) == 503)
        #expect(status("/readyz", nil, after: .seconds(1)) == 503)
        #expect(status("/metrics", nil, after: .seconds(1)) == 503)
    }

    @Test("A fleet with problems is live, and not ready: with a line each")
    func problems() {
        let snapshot = SnapshotFixture.make(problems: ["shard 0 is backoff", "discovery: gone"], at: start)
        let pages = MetricsPages(snapshot, start: start, now: start)
        #expect(pages.answer("/livez").status == 200)
        let ready = pages.answer("/readyz")
        #expect(ready.status == 503 && ready.text == "shard 0 is backoff\ndiscovery: gone\n")
        #expect(pages.answer("/metrics").text.contains("\nmillrace_healthy 0\n"))
    }
}
