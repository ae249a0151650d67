private import CLinux
import Foundation
private import Synchronization

/// Asks again and again which partitions there are, on a thread of its own: those questions wait for Kafka and
/// Postgres, and the coordinator's loop must not.
final class Discovery: Sendable {
    private let stopped = Mutex(false)
    private let wake: Int32

    /// Takes the registry over; its connection holds the fleet's lock while the thread lives.
    init(_ registry: consuming SourceRegistry, interval: Duration, mailbox: Mailbox) {
        wake = eventfd(0, Int32(EFD_CLOEXEC))
        let box = RegistryBox(registry)
        let thread = Thread { [self] in
            while !wait(interval) {
                do {
                    mailbox.put(.discovered(try box.registry.discover()))
                } catch let error as StartError where error.isHeldByAnother {
                    mailbox.put(.schemaLost("\(error)"))
                } catch {
                    mailbox.put(.discoveryFailed("\(error)"))
                }
            }
        }
        thread.name = "discovery"
        thread.start()
    }

    deinit {
        close(wake)
    }

    func stop() {
        stopped.withLock { $0 = true }
        var one: UInt64 = 1
        _ = write(wake, &one, MemoryLayout<UInt64>.size)
    }

    /// True when it was told to stop.
    private func wait(_ interval: Duration) -> Bool {
        let milliseconds = interval.components.seconds * 1000 + interval.components.attoseconds / 1_000_000_000_000_000
        var entry = pollfd(fd: wake, events: Int16(POLLIN), revents: 0)
        poll(&entry, 1, Int32(clamping: milliseconds))
        return stopped.withLock { $0 }
    }
}

/// Hands the registry to the one thread that uses it from then on.
///
/// Sendable by this proof: the box is made before the thread starts and touched only by that thread after.
private final class RegistryBox: @unchecked Sendable {
    var registry: SourceRegistry

    init(_ registry: consuming SourceRegistry) {
        self.registry = registry
    }
}
