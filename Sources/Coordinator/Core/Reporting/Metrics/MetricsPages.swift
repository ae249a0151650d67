import Common
package import WebServer

/// What is answered to a path, from the last snapshot.
package struct MetricsPages {
    /// The loop turns each second; a turn that takes longer than this does not come back soon.
    package static let turnLimit = Duration.seconds(5)

    package static let paths = ["/livez", "/metrics", "/readyz"]

    private let snapshot: FleetSnapshot?
    private let age: Duration

    /// - Parameters:
    ///   - snapshot: nil before the loop's first turn.
    ///   - start: since when that first turn is waited for.
    package init(_ snapshot: FleetSnapshot?, start: ContinuousClock.Instant, now: ContinuousClock.Instant) {
        self.snapshot = snapshot
        age = now - (snapshot?.at ?? start)
    }

    package func answer(_ path: String) -> HTTPResponse {
        switch path {
        case "/metrics":
            snapshot.map {
                HTTPResponse(
                    200, contentType: PrometheusText.contentType,
                    body: Array(PrometheusText($0, FleetMetrics.all).text.utf8))
            } ?? .lines(503, ["the coordinator is starting"])
        case "/livez": hang.map { .lines(503, [$0]) } ?? .lines(200, ["live"])
        case "/readyz": problems.isEmpty ? .lines(200, ["ready"]) : .lines(503, problems)
        default: .lines(200, Self.paths)
        }
    }

    private var hang: String? {
        age > Self.turnLimit ? "the coordinator's loop has not turned for \(age.components.seconds) s" : nil
    }

    private var problems: [String] {
        guard let snapshot else { return ["the coordinator is starting"] }
        return (hang.map { [$0] } ?? []) + snapshot.report.problems
    }
}

extension HTTPResponse {
    fileprivate static func lines(_ status: UInt32, _ lines: [String]) -> HTTPResponse {
        .text(status, lines.map { $0 + "\n" }.joined(), headers: ["cache-control": "no-store"])
    }
}
