private import Glibc
private import Synchronization

/// What a consumer's callbacks have said. Written by whichever thread serves its queue.
final class ConnectionState: Sendable {
    private let state = Atomic(true)
    private let commitCode = Atomic<Int32>(0)

    /// Of the last group commit; librdkafka's code, 0 for none.
    var commitError: Int32 { commitCode.load(ordering: .relaxed) }

    func committed(_ code: Int32) {
        commitCode.store(code, ordering: .relaxed)
    }

    /// Whether any broker is connected, from librdkafka's statistics.
    var isConnected: Bool { state.load(ordering: .relaxed) }

    /// - Parameter statistics: JSON (librdkafka's STATISTICS.md). A broker's state is the only field of this form.
    func update(statistics: UnsafeRawBufferPointer) {
        let isUp = #""state":"UP""#.withCString { needle in
            memmem(statistics.baseAddress!, statistics.count, needle, strlen(needle)) != nil
        }
        state.store(isUp, ordering: .relaxed)
    }
}
