import Common
import Testing

@testable import CoordinatorCore

@Suite("Edges that a coordinator hears of")
struct EdgeRegistryTests {
    @Test(
        "Whatever numbers an edge tells, they are added and shown",
        arguments: [(Int64.max, Int64(-2)), (.min, .max), (0, .max), (100, 50)])
    func numbers(before: Int64, after: Int64) {
        var registry = EdgeRegistry()
        let start = ContinuousClock.now
        var report = EdgeReport(id: "one", pid: .max, address: "127.0.0.1:8080")
        report.messages = before
        registry.heard(report, route: nil, at: start)
        (report.messages, report.clients) = (after, .max)
        registry.heard(report, route: nil, at: start + .nanoseconds(1))
        let rows = registry.rows(at: start + .nanoseconds(1))
        #expect(rows.count == 1 && rows[0].messagesPerSecond >= 0)
        var status = StatusReport(
            problems: [], generation: 0, uptime: .greatestFiniteMagnitude, pid: 1,
            kafka: .init(bootstrap: "", embedded: nil),
            postgres: .init(parameters: [:]), control: "", shards: [], sources: [], streams: [], notices: [])
        status.edges = rows
        #expect(StatusTable(status).text.contains("127.0.0.1:8080"))
    }
}
