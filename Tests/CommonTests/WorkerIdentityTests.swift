import Common
import Testing

@Suite("Workers' names")
struct WorkerIdentityTests {
    @Test("A name says shard and pid, and nothing else is one")
    func names() {
        let worker = WorkerIdentity(shard: 12, pid: 4711)
        #expect(worker.name == "shard-12-4711" && WorkerIdentity(worker.name) == worker)
        for other in ["shard-12", "shard-12-", "shard--12-4711", "shard-x-4711", "edge-12-4711", "shard-1-2-3", ""] {
            #expect(WorkerIdentity(other) == nil, "\(other)")
        }
    }
}
