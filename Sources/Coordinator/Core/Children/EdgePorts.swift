import Common
import Foundation

/// Picks where the coordinator's own edges listen: from the first port on, those that are free.
enum EdgePorts {
    /// What an edge of the coordinator's own has in its environment: it ends with its standard input.
    static let supervised = "MILLRACE_SUPERVISED"
    private static let interval = 0.05

    /// Blocking while an edge of an earlier coordinator, which was killed, still drains at a port.
    static func pick(_ plan: EdgePlan, control: String, _ watch: StartWatch) throws(StartError) -> [ListenAddress] {
        var picked: [ListenAddress] = []
        var next = plan.firstPort
        let deadline = ContinuousClock.now + SupervisedChildren.endLimit
        while picked.count < Int(plan.count) {
            let address = ListenAddress(host: plan.host, port: next == 0 ? try FreePort.random() : next)
            if !(try waitUntilFree(address, control, deadline, watch)) {
                watch.say("port \(address.port) is taken; an edge gets the next free one")
            } else if !picked.contains(address) {
                picked.append(address)
            }
            guard next < .max else {
                throw StartError("no port from \(plan.firstPort) on is free for an edge", .unavailable)
            }
            if next != 0 { next += 1 }
        }
        return picked
    }

    private static func waitUntilFree(
        _ address: ListenAddress, _ control: String, _ deadline: ContinuousClock.Instant, _ watch: StartWatch
    ) throws(StartError) -> Bool {
        var isSaid = false
        while !FreePort.isFree(address.port, host: address.host) {
            guard ContinuousClock.now < deadline, hasFormerEdges(control) else { return false }
            try watch.check()
            if !isSaid { watch.say("an edge of the coordinator before has not ended yet; waiting for its port") }
            isSaid = true
            // Nobody tells when a port becomes free.
            Thread.sleep(forTimeInterval: interval)
        }
        return true
    }

    /// Of this runtime folder, and started by a coordinator.
    private static func hasFormerEdges(_ control: String) -> Bool {
        ProcessTable.pids.contains { pid in
            ProcessTable.arguments(of: pid).contains(control)
                && ProcessTable.environment(of: pid).contains("\(supervised)=1")
        }
    }
}
