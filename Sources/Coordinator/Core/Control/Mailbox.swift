private import CLinux
import Common
private import Synchronization

/// What other threads tell the coordinator's loop: exits of processes, partitions that were found.
///
/// Bounded by its senders: one exit a process, one discovery at a time.
final class Mailbox: Sendable {
    enum Item: Sendable {
        case exited(shard: Int32, pid: Int32)
        /// Of those beside the workers.
        case childEnded(ChildName, ChildExit)
        /// The sources of the cluster before have ended.
        case kafkaMoved([String: String])
        /// The database is as it should be; the highest generation that it has seen. Once, after a start in an outage.
        case prepared(generation: Int64)
        /// What such a start has found out later: why there is to be none.
        case startRefused(StartError)
        /// What there is, and what happened to it.
        case discovered(SourceRegistry.Found, [String])
        /// To be answered once no worker has them.
        case paused([SourceID], answer: [UInt8])
        /// To whom, on the control socket.
        case answered([UInt8], CommandReply)
        case resumed([SourceID], answer: [UInt8])
        case discoveryFailed(String)
        /// The other coordinators of the group, as Postgres has them.
        case members(HeardMembers)
        /// By another coordinator of the group.
        case asked(MemberRequest)
        /// What became of a request that can't be read.
        case notAsked(String)
        /// Another fleet has taken the schema while Postgres was away.
        case schemaLost(String)
    }

    private let items = Mutex<[Item]>([])
    /// Readable while there are items.
    let descriptor: Int32

    init() {
        descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        precondition(descriptor >= 0, "out of descriptors")
    }

    deinit {
        close(descriptor)
    }

    func put(_ item: Item) {
        items.withLock { $0.append(item) }
        var one: UInt64 = 1
        _ = write(descriptor, &one, MemoryLayout<UInt64>.size)
    }

    func takeAll() -> [Item] {
        var counter: UInt64 = 0
        _ = read(descriptor, &counter, MemoryLayout<UInt64>.size)
        return items.withLock { items in
            defer { items.removeAll() }
            return items
        }
    }
}
