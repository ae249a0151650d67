/// What a worker is called on the control socket, and what is its in the runtime folder: one life of one shard.
package struct WorkerIdentity: Sendable, Hashable {
    package let shard: Int32
    package let pid: Int32

    private static let prefix = "shard-"

    package init(shard: Int32, pid: Int32) {
        self.shard = shard
        self.pid = pid
    }

    /// `shard-SHARD-PID`; nil for anything else.
    package init?(_ name: String) {
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        guard name.hasPrefix(Self.prefix), parts.count == 3, let shard = Int32(parts[1]), let pid = Int32(parts[2])
        else {
            return nil
        }
        self.init(shard: shard, pid: pid)
    }

    package var name: String { "\(Self.prefix)\(shard)-\(pid)" }
}
