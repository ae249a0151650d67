import Common
import TestSupport

/// What a fault run did and found; of several runs, the sum.
struct FaultReport {
    var faults: [Fault: Int] = [:]
    var cuts: [CommitCut: Int] = [:]
    /// By the ledger.
    var records = 0
    var rows = 0
    var dead = 0
    /// Rows heard on the feed.
    var heard = 0
    /// Rows at a WebSocket client that resumed, and how often it subscribed.
    var seen = 0
    var lives = 0
    /// Times that a hundred clients came at once.
    var crowds = 0
    /// Tables that clients had at the end.
    var states = 0
    /// What a run's last part was.
    var finales: [FaultFinale: Int] = [:]
    /// What must not be, each in a sentence.
    var violations: [String] = []

    static func += (sum: inout FaultReport, run: FaultReport) {
        sum.faults.merge(run.faults, uniquingKeysWith: +)
        sum.cuts.merge(run.cuts, uniquingKeysWith: +)
        sum.records += run.records
        sum.rows += run.rows
        sum.dead += run.dead
        sum.heard += run.heard
        sum.seen += run.seen
        sum.lives += run.lives
        sum.crowds += run.crowds
        sum.states += run.states
        sum.finales.merge(run.finales, uniquingKeysWith: +)
        sum.violations += run.violations
    }
}

extension FaultReport: CustomStringConvertible {
    var description: String {
        let faultCounts = Fault.allCases.map { "\($0.rawValue) \(faults[$0] ?? 0)" }.joined(separator: ", ")
        let cutCounts = CommitCut.allCases.map { "\($0.rawValue) \(cuts[$0] ?? 0)" }.joined(separator: ", ")
        let ends = FaultFinale.allCases.map { "\($0.rawValue) \(finales[$0] ?? 0)" }.joined(separator: ", ")
        return "\(records) records, \(rows) rows, \(dead) dead letters, \(violations.count) violations; "
            + "\(heard) rows heard; \(seen) seen by a client in \(lives) subscriptions; "
            + "\(states) tables at clients; \(crowds) crowds of \(EdgeCrowd.count); \(faultCounts); cuts: \(cutCounts); at the end: \(ends)"
    }
}
