import Common
import Foundation
import Testing

@testable import WSEdgeCore

@Suite("An edge's metrics")
struct EdgeMetricsTests {
    @Test("The documentation has each with its type and meaning, and no other")
    func documentation() throws {
        let checkout = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: checkout.appending(path: "docs/edges.md"), encoding: .utf8)
        for family in EdgeMetrics.all {
            #expect(text.contains("| `\(family.name)` | \(family.kind) |"), "\(family.name)")
            #expect(text.contains(" | \(family.help) |"), "\(family.name)")
        }
        let names = Set(text.matches(of: #/\bmillrace_edge_[a-z_]+/#).map { String($0.output) })
        #expect(names == Set(EdgeMetrics.all.map(\.name)))
    }
}
