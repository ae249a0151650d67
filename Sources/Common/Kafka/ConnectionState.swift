private import Glibc
private import Synchronization

/// Whether any broker is connected, from librdkafka's statistics. Written by whichever thread serves its queue.
final class ConnectionState: Sendable {
    private let state = Atomic(true)

    var isConnected: Bool { state.load(ordering: .relaxed) }

    /// - Parameter statistics: JSON (librdkafka's STATISTICS.md). A broker's state is the only field of this form.
    func update(statistics: UnsafeRawBufferPointer) {
        let isUp = #""state":"UP""#.withCString { needle in
            memmem(statistics.baseAddress!, statistics.count, needle, strlen(needle)) != nil
        }
        state.store(isUp, ordering: .relaxed)
    }
}
