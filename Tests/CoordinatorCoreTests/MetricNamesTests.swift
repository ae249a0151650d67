import CoordinatorCore
import Foundation
import Testing

@Suite("Metrics' names elsewhere")
struct MetricNamesTests {
    private func read(_ path: String) throws -> String {
        let checkout = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(contentsOf: checkout.appending(path: path), encoding: .utf8)
    }

    /// All `millrace_…` in a text.
    private func names(in text: String) -> Set<String> {
        Set(text.matches(of: #/\bmillrace_[a-z0-9_]+/#).map { String($0.output) })
    }

    @Test(
        "Rules and dashboard ask only for series that the coordinator exports",
        arguments: ["deploy/prometheus/millrace.rules.yml", "deploy/grafana/millrace.json"])
    func deployed(path: String) throws {
        let used = names(in: try read(path))
        #expect(used.count >= 8)
        #expect(used.subtracting(FleetMetrics.all.flatMap(\.seriesNames)) == [])
    }

    @Test("The dashboard is valid JSON, and each of its panels has expressions")
    func dashboard() throws {
        let json = try JSONSerialization.jsonObject(with: Data(try read("deploy/grafana/millrace.json").utf8))
        let panels = try #require((json as? [String: Any])?["panels"] as? [[String: Any]])
        #expect(panels.count >= 8)
        for panel in panels {
            let targets = panel["targets"] as? [[String: Any]] ?? []
            let expressions = targets.compactMap { $0["expr"] as? String }
            #expect(
                !expressions.isEmpty && expressions.allSatisfy { !names(in: $0).isEmpty }, "\(panel["title"] ?? "")")
        }
    }

    @Test("The documentation has each metric with its type, and no other")
    func documentation() throws {
        let text = try read("docs/metrics.md")
        #expect(names(in: text).subtracting(FleetMetrics.all.flatMap { $0.seriesNames + [$0.name] }) == [])
        for family in FleetMetrics.all {
            #expect(text.contains("| `\(family.name)` | \(family.kind) |"), "\(family.name)")
        }
    }
}
