import Common
import Foundation
import TestSupport
import Testing

/// What ends a run, since Kafka does not have afterwards what rows are compared with.
enum FaultFinale: String, CaseIterable {
    /// The broker is put back to an older state.
    case restoreBroker
    /// The topic is made again, many times.
    case remakeTopic
}

extension FaultRun {
    /// A long run has time for more.
    private static let remakeCount = FaultSettings.minutes > 0 ? 20 : 3

    func finale() throws {
        let finale = FaultFinale.allCases.randomElement(using: &random)!
        switch finale {
        case .restoreBroker: try restoreBroker()
        case .remakeTopic: try remakeTopic()
        }
        report.finales[finale, default: 0] += 1
        report.violations += try fleet.verify(deep: true).flatMap(\.breaks).map { "verify after \(finale): \($0)" }
    }

    /// What was stored stays, nothing is stored until somebody says so.
    private func restoreBroker() throws {
        func rows() throws -> [String] { try fleet.rows("SELECT count(*), sum(hashtext(e::text)) FROM events e") }
        try kafka.crash()
        try kafka.save()
        try kafka.revive()
        // All of them: a partition that is not read past its restored end has lost nothing.
        let before = (stored: try fleet.stored(), sent: load.count)
        try load.produce(&random, count: 5...20)
        try fleet.waitForRecords(before.stored + Int64(load.count - before.sent))
        let stored = try rows()
        try kafka.crash()
        try kafka.restore()
        try kafka.revive()
        func stopped() throws -> [String] {
            try fleet.rows(
                "SELECT count(*) FROM millrace.source WHERE retired_at IS NULL AND paused_by LIKE 'stopped: %'")
        }
        try fleet.wait("all partitions to be stopped; \((try? stopped()) ?? [])") {
            try stopped() == [String(Self.partitions)]
        }
        // Past where it stood: what is there now was never read.
        try load.produce(&random, count: 100...200)
        try fleet.waitForStatus("it is told, of each partition") { report in
            !report.healthy && !report.sources.contains { $0.state == "running" && $0.topic == fleet.topic }
        }
        if try rows() != stored { self.report.violations.append("rows changed after the broker was put back") }
        try fleet.done("reset", "events", "--to", "latest")
        try fleet.waitForStatus("it goes on") { $0.healthy && $0.sources.allSatisfy { $0.lag == 0 } }
    }

    /// Each life's records are stored once.
    private func remakeTopic() throws {
        let pid = fleet.pid
        for life in 0..<Self.remakeCount {
            try kafka.remake(fleet.topic, partitions: Self.partitions)
            let values = (0..<20).map { #"{"k":"life \#(life) \#($0)","n":1}"# }
            for (index, value) in values.enumerated() {
                try kafka.produce(
                    [value], key: "life \(life) \(index)", to: fleet.topic, partition: Int32(index) % Self.partitions)
            }
            let count = "SELECT count(*), sum(n) FROM events WHERE k LIKE 'life \(life) %'"
            try fleet.wait(
                "life \(life): \((try? fleet.rows(count)) ?? []); \(String(describing: try? fleet.status()))"
            ) {
                try fleet.requireRunning()
                return try fleet.rows(count) == ["20|20"]
            }
        }
        if fleet.pid != pid { report.violations.append("the coordinator is another one") }
        try fleet.waitForStatus("healthy") { $0.healthy }
    }
}
