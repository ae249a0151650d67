private import CLinux

/// Wakes a server from any thread: it calls what is told to `woken`. Also after the server is gone: then nobody hears it.
package final class ServerWaker: Sendable {
    /// Readable after a wake.
    package let descriptor: Int32

    package init() throws(WebServerError) {
        descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        guard descriptor >= 0 else { throw ListeningSocket.lastError("eventfd") }
    }

    deinit {
        close(descriptor)
    }

    /// Takes the wake back: its owner knows now what has come.
    package func calmDown() {
        var count: UInt64 = 0
        _ = read(descriptor, &count, MemoryLayout<UInt64>.size)
    }

    package func wake() {
        var one: UInt64 = 1
        _ = write(descriptor, &one, MemoryLayout<UInt64>.size)
    }
}
